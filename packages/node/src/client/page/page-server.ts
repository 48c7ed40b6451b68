/**
 * The web client for the local network: a phone that scans the code of an invite gets the page from this machine, and
 * talks to the client behind it over a WebSocket. Everybody on the network can load the page; it holds nothing of ours.
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIP, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import sirv from 'sirv'

/** Where the page is unless something else is there: the identity of a guest belongs to host and port. */
export const PAGE_PORT = 8_014
/** Whoever sends a request takes no longer than this to send its head, ms; and there are at most so many connections. */
const HEAD_WITHIN_MS = 10_000
const MAX_CONNECTIONS = 256

export interface PageServerOptions {
  /** Folder with the exported interface, and the policy of its pages in it. */
  readonly ui: string
  /** Address to listen on. */
  readonly host: string
  /** What `/relay.json` says at a host: how the page reaches the client. */
  describe(host: string): Promise<unknown>
}

export interface PageServer {
  readonly port: number
  close(): Promise<void>
}

/** @throws Error of Node.js when it cannot listen, or the folder holds no interface */
export async function startPageServer({ ui, host, describe }: PageServerOptions): Promise<PageServer> {
  const policy = readFileSync(join(ui, 'content-security-policy.txt'), 'utf8').trim()
  const files = sirv(ui, { dev: false, etag: true, gzip: true, brotli: true, setHeaders: (response) => secure(response, policy) })
  const server = createServer((request, response) => {
    const asked = hostAsked(request)
    if (asked === undefined) return end(response, 421, 'Open this page by the address of the device, not by a name.')
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'There is nothing to send here.')
    if (request.url !== '/relay.json') return files(request, response, () => end(response, 404, 'There is nothing here.'))
    void describe(asked).then(
      (document) => endJson(response, document),
      () => end(response, 503, 'The client is not ready.'),
    )
  })
  server.headersTimeout = HEAD_WITHIN_MS
  server.requestTimeout = HEAD_WITHIN_MS
  server.maxConnections = MAX_CONNECTIONS
  await listen(server, host)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port: (server.address() as AddressInfo).port, close }
}

/** The usual port; where another program has it, any free one. */
async function listen(server: Server, host: string): Promise<void> {
  const tryOn = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  await tryOn(PAGE_PORT).catch(() => tryOn(0))
}

/** The host of the request when it is an IP address: a name may be a stranger's, made to lead here. */
function hostAsked({ headers }: IncomingMessage): string | undefined {
  const url = URL.parse(`http://${headers.host ?? ''}`)
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? ''
  return isIP(host) === 0 ? undefined : host
}

function secure(response: ServerResponse, policy: string): void {
  response.setHeader('content-security-policy', policy)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('x-frame-options', 'DENY')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }).end(text)
}

function endJson(response: ServerResponse, document: unknown): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  response.writeHead(200, headers).end(JSON.stringify(document))
}
