/** The client with the server of its window: what every shell puts a window on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import { createClient, findInterface, loadConfig, type RunningClient } from '@skein/node'
import { announceInstance, keepPort, lastPort, type Shell } from './instance.ts'
import { startServer, type WindowServer } from './server.ts'

export interface HostOptions {
  readonly dataDir: string
  readonly relay?: readonly string[]
  readonly name?: string
}

export interface Host extends AsyncDisposable {
  readonly client: RunningClient
  /** A link that opens one window, once. @param fragment of an invite or a place in the interface, without the `#` */
  link(fragment?: string): string
}

/** @throws SkeinError USAGE when the interface has not been built, and what a client throws */
export async function startHost({ dataDir, relay, name }: HostOptions, shell: Shell): Promise<Host> {
  const ui = interfaceFolder()
  const flags = { ...(relay === undefined ? {} : { relays: relay }), ...(name === undefined ? {} : { name }) }
  const client = await createClient({ dataDir, ui, ...loadConfig({ dataDir, env: process.env, flags }) })
  const server = await serve(client, { ui, dataDir })
  const withdraw = announceInstance(dataDir, { port: server.port, secret: server.secret, shell })
  const stop = async (): Promise<void> => {
    withdraw()
    await server[Symbol.asyncDispose]()
    await client.stop()
  }
  return { client, link: (fragment) => server.link(fragment), [Symbol.asyncDispose]: stop }
}

async function serve(client: RunningClient, { ui, dataDir }: { readonly ui: string; readonly dataDir: string }): Promise<WindowServer> {
  const on = (port: number): Promise<WindowServer> => startServer({ client, ui, policy: policyOf(ui), port, now: Date.now })
  try {
    const last = lastPort(dataDir)
    // Somebody else may have the port now.
    const server = last === 0 ? await on(0) : await on(last).catch(() => on(0))
    keepPort(dataDir, server.port)
    return server
  } catch (error) {
    await client.stop()
    throw error
  }
}

/** @throws SkeinError USAGE when the interface has not been built */
export function interfaceFolder(): string {
  const found = findInterface(import.meta.url)
  if (found !== undefined) return found
  throw new SkeinError('USAGE', 'The interface has not been built; run npm start once.')
}

function policyOf(ui: string): string {
  return readFileSync(join(ui, 'content-security-policy.txt'), 'utf8').trim()
}
