/** `skein-desktop`: the client with a window. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isSkeinError, SkeinError } from '@skein/core'
import { createClient, loadConfig } from '@skein/node'
import { defaultDataDir } from '@skein/node/config'
import { Command } from 'commander'
import { announceInstance, linkOfRunning } from './instance.ts'
import { startServer } from './server.ts'
import { findChromium, hasDisplay, openWindow, type ShellWindow } from './shell/chromium.ts'

interface Options {
  readonly dataDir: string
  readonly relay?: readonly string[]
  readonly name?: string
  readonly json?: boolean
  readonly window: boolean
}

/** Where the interface is: beside the bundle in a package, with the other apps in a checkout. */
const UI = ['../ui', '../../web/out'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)))
const STOP_WITHIN_MS = 5_000

const program = new Command('skein-desktop')
  .description('Skein in a window.')
  .argument('[link]', 'an invite to open')
  .option('--data-dir <dir>', 'folder of this node', defaultDataDir(process.env))
  .option('--relay <url>', 'a relay, by its URL; may be given several times', (value, before: readonly string[] = []) => [...before, value])
  .option('--name <name>', 'what you call yourself')
  .option('--json', 'one JSON object on stdout when it is ready')
  .option('--no-window', 'print the link instead of opening a window')

async function run(invite: string | undefined, { dataDir, window, json, relay, name }: Options): Promise<void> {
  const fragment = invite === undefined ? '' : `add=${encodeURIComponent(invite)}`
  const running = await linkOfRunning(dataDir, fragment)
  if (running !== undefined) return show(running, { dataDir, window, json: json === true })?.closed
  const flags = { ...(relay === undefined ? {} : { relays: relay }), ...(name === undefined ? {} : { name }) }
  const client = await createClient({ dataDir, ...loadConfig({ dataDir, env: process.env, flags }) })
  const ui = interfaceFolder()
  const server = await startServer({ client, ui, policy: policyOf(ui), port: 0, now: Date.now })
  const withdraw = announceInstance(dataDir, server)
  const shown = show(server.link(fragment), { dataDir, window, json: json === true })
  await Promise.race([client.stopRequested, signalled(), ...(shown === undefined ? [] : [shown.closed])])
  setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref()
  shown?.close()
  withdraw()
  await server[Symbol.asyncDispose]()
  await client.stop()
}

/** @throws SkeinError USAGE when the interface has not been built */
function interfaceFolder(): string {
  const found = UI.find((folder) => existsSync(join(folder, 'index.html')))
  if (found !== undefined) return found
  throw new SkeinError('USAGE', 'The interface has not been built; run npm start once.')
}

function policyOf(ui: string): string {
  return readFileSync(join(ui, 'content-security-policy.txt'), 'utf8').trim()
}

/** A window if there can be one; else the link, for a browser. */
function show(
  url: string,
  { dataDir, window, json }: { readonly dataDir: string; readonly window: boolean; readonly json: boolean },
): ShellWindow | undefined {
  const chromium = window && hasDisplay(process.env, process.platform) ? findChromium(process.env) : undefined
  if (json) process.stdout.write(`${JSON.stringify({ event: 'ready', url, window: chromium !== undefined })}\n`)
  else if (chromium === undefined) process.stdout.write(`Open this link in a browser on this machine; it works once:\n${url}\n`)
  return chromium === undefined ? undefined : openWindow(chromium, { url, profile: join(dataDir, 'window') })
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
}

try {
  program.parse()
  await run(program.args[0], program.opts<Options>())
  process.exit(0)
} catch (error) {
  if (!isSkeinError(error)) throw error
  const { json } = program.opts<Options>()
  if (json) process.stdout.write(`${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`)
  else process.stderr.write(`skein-desktop: ${error.message}\n`)
  process.exit(1)
}
