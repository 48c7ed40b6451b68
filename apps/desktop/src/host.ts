/** The client with the server of its window: what every shell puts a window on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import { createClient, findInterface, type RunningClient } from '@skein/node'
import type { ClientEvent } from '@skein/node/api'
import { settingsOf } from './command-line.ts'
import { announceInstance, keepPort, lastPort, type Shell } from './instance.ts'
import type { OpenWindows } from './open-windows.ts'
import { RestartingClient } from './restarting-client.ts'
import { startServer, type WindowServer } from './server.ts'

export interface HostOptions {
  readonly dataDir: string
  readonly relay?: readonly string[]
  readonly name?: string
}

export interface Host extends AsyncDisposable {
  /** Resolves when a stop has been requested over the API; rejects when the client could not be started anew. */
  readonly stopRequested: Promise<void>
  /** What happens at the client, also after it was started anew. The returned function ends it. */
  listen(listener: (event: ClientEvent) => void): () => void
  /** A link that opens one window, once. @param fragment of an invite or a place in the interface, without the `#` */
  link(fragment?: string): string
  readonly windows: OpenWindows
}

/** @throws SkeinError USAGE when the interface has not been built, and what a client throws */
export async function startHost(options: HostOptions, shell: Shell): Promise<Host> {
  const ui = interfaceFolder()
  const running = await RestartingClient.start(() => openClient(options, ui))
  const server = await serve(running, { ui, dataDir: options.dataDir })
  running.onRestart = () => server.dropWindows()
  const withdraw = announceInstance(options.dataDir, { port: server.port, secret: server.secret, shell })
  const stop = async (): Promise<void> => {
    withdraw()
    await server[Symbol.asyncDispose]()
    await running.stop()
  }
  return {
    stopRequested: running.stopRequested,
    listen: (listener) => running.listen(listener),
    link: (fragment) => server.link(fragment),
    windows: server.windows,
    [Symbol.asyncDispose]: stop,
  }
}

function openClient(options: HostOptions, ui: string): Promise<RunningClient> {
  return createClient({ dataDir: options.dataDir, ui, ...settingsOf(options, process.env) })
}

async function serve(running: RestartingClient, { ui, dataDir }: { readonly ui: string; readonly dataDir: string }): Promise<WindowServer> {
  const on = (port: number): Promise<WindowServer> =>
    startServer({ client: () => running.client, ui, policy: policyOf(ui), port, now: Date.now })
  try {
    const last = lastPort(dataDir)
    // Somebody else may have the port now.
    const server = last === 0 ? await on(0) : await on(last).catch(() => on(0))
    keepPort(dataDir, server.port)
    return server
  } catch (error) {
    await running.stop()
    throw error
  }
}

/** @throws SkeinError USAGE when the interface has not been built */
export function interfaceFolder(): string {
  const found = findInterface(import.meta.url)
  if (found !== undefined) return found
  throw new SkeinError('USAGE', 'The interface has not been built; run npm start once.')
}

/** That of the web client, narrowed: the client runs here, and its page has nobody else to ask. */
export function policyOf(ui: string): string {
  const policy = readFileSync(join(ui, 'content-security-policy.txt'), 'utf8').trim()
  return policy.replace(/connect-src [^;]*/, "connect-src 'self'")
}
