/** `skein-desktop`: the client with a window. Electron if it is there, else a browser of the Chromium family, else a link. */
import { join } from 'node:path'
import { isSkeinError } from '@skein/core'
import { type DesktopOptions, fragmentFor, parseCommandLine } from './command-line.ts'
import { startHost } from './host.ts'
import { findRunning } from './instance.ts'
import { findChromium, hasDisplay, openWindow, type ShellWindow } from './shell/chromium.ts'
import { findElectron, runElectron } from './shell/electron-program.ts'

const STOP_WITHIN_MS = 5_000

async function run(options: DesktopOptions): Promise<number> {
  const { dataDir, window } = options
  const fragment = fragmentFor(options.invite)
  const running = await findRunning(dataDir, fragment)
  const electron = window && hasDisplay(process.env, process.platform) ? findElectron(process.env) : undefined
  // A running Electron opens the window itself, as soon as a second one says so.
  if (running !== undefined && (running.shell !== 'electron' || electron === undefined)) return done(show(running.link, options)?.closed)
  if (electron !== undefined) return runElectron(electron, process.argv.slice(2))
  const host = await startHost(options, 'link')
  const shown = show(host.link(fragment), options)
  await Promise.race([host.stopRequested, signalled(), ...(shown === undefined ? [] : [shown.closed])])
  setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref()
  shown?.close()
  await host[Symbol.asyncDispose]()
  return 0
}

async function done(closed: Promise<void> | undefined): Promise<number> {
  await closed
  return 0
}

/** A window if there can be one; else the link, for a browser. */
function show(url: string, { dataDir, window, json }: DesktopOptions): ShellWindow | undefined {
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

const options = parseCommandLine(process.argv.slice(2))
try {
  process.exit(await run(options))
} catch (error) {
  if (!isSkeinError(error)) throw error
  if (options.json) process.stdout.write(`${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`)
  else process.stderr.write(`skein-desktop: ${error.message}\n`)
  process.exit(1)
}
