/** The API over a local socket: a Unix socket inside the data directory, a named pipe on Windows. */
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { RPCHandler } from '@orpc/server/node'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/fetch'
import { SkeinError } from '@skein/core'
import { Agent, fetch as undiciFetch } from 'undici'
import type { Client } from '../assemble.ts'
import type { ApiClient } from './api-client.ts'
import { router } from './router.ts'

/** Longest path a Unix socket may have on every platform (sun_path is 104 bytes on macOS). */
const MAX_SOCKET_PATH = 100

/** Where the daemon of a data directory listens. */
export function socketPath(dataDir: string): string {
  const name = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\skein-${name}`
  const inside = join(resolve(dataDir), 'daemon.sock')
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside
  return join(tmpdir(), `skein-${userInfo().uid}`, `${name}.sock`)
}

/** Whether somebody answers at the socket. */
export function isServed(path: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      done(true)
    })
    probe.once('error', () => done(false))
  })
}

/** Serves the API; only the user who runs the client can open the socket. The returned function ends it. */
export async function serveSocket(client: Client, path: string): Promise<() => Promise<void>> {
  const handler = new RPCHandler(router)
  const server = createServer((request, response) => {
    void handler.handle(request, response, { context: { client } }).then(({ matched }) => {
      if (!matched) response.writeHead(404).end()
    })
  })
  await listenOn(server, path)
  return () => closeServer(server)
}

/** Answers that are under way, the one to `stop` among them, get this long. Milliseconds. */
const FINISH_WITHIN_MS = 500

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    const cut = setTimeout(() => server.closeAllConnections(), FINISH_WITHIN_MS)
    server.close(() => {
      clearTimeout(cut)
      done()
    })
    server.closeIdleConnections()
  })
}

function listenOn(server: Server, path: string): Promise<void> {
  if (process.platform !== 'win32') {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
    // Left by a client that was killed: the store's lock has shown that none is running.
    rmSync(path, { force: true })
  }
  return new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(path, () => {
      if (process.platform !== 'win32') chmodSync(path, 0o600)
      done()
    })
  })
}

export interface ApiConnection {
  readonly api: ApiClient
  close(): Promise<void>
}

/** Connects to the client that runs on a data directory. @throws SkeinError NO_DAEMON */
export async function connectSocket(dataDir: string): Promise<ApiConnection> {
  const path = socketPath(dataDir)
  if (!(await isServed(path))) throw new SkeinError('NO_DAEMON', 'No client is running on this data directory; start one with «skein up».')
  const dispatcher = new Agent({ connect: { socketPath: path }, headersTimeout: 0, bodyTimeout: 0 })
  const link = new RPCLink({
    url: 'http://skein.local',
    fetch: async (request: Request, init: object) =>
      (await undiciFetch(request.url, { ...init, ...(await requestParts(request)), dispatcher })) as unknown as Response,
  })
  return { api: createORPCClient(link), close: () => dispatcher.destroy() }
}

async function requestParts(
  request: Request,
): Promise<{ method: string; headers: Record<string, string>; body: string; signal: AbortSignal }> {
  return { method: request.method, headers: Object.fromEntries(request.headers), body: await request.text(), signal: request.signal }
}
