/** The loopback server behind the window: the interface's files, and the API over a WebSocket. */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import files from '@fastify/static'
import { MAX_TEXT_BYTES } from '@skein/core'
import type { Client } from '@skein/node'
import { serveWebSocket } from '@skein/node/host'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { WebSocketServer } from 'ws'
import { type Asked, Gate, prove } from './gate.ts'
import { OpenWindows } from './open-windows.ts'
import { isOtherUser } from './peer-user.ts'
import { wordsFor } from './shell/words.ts'

/**
 * What a window speaks on the API's WebSocket; beside it stands its session. Not in a cookie: a browser would send that to
 * every server on this machine, whatever its port.
 */
const PROTOCOL = 'skein'
/** Largest request of the API, bytes: the largest text, each byte of it escaped (`\u0000`), and room for the rest. */
const MAX_REQUEST_BYTES = 6 * MAX_TEXT_BYTES + 65_536

export interface WindowServer extends AsyncDisposable {
  /** A link that opens one window, once. @param fragment of an invite, without the `#` */
  link(fragment?: string): string
  readonly port: number
  readonly windows: OpenWindows
  /** Ends what windows have open; they come back by themselves, with the session that they have. */
  dropWindows(): void
  /** With it a second start of the program gets a link from the first. */
  readonly secret: string
}

export interface WindowServerOptions {
  /** `undefined` while it is started anew: the API answers `503`, and windows ask again. */
  readonly client: () => Client | undefined
  /** Folder with the exported interface. */
  readonly ui: string
  /** Content security policy of its pages. */
  readonly policy: string
  /** 0 takes any free one. */
  readonly port: number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** @throws Error of Node.js when the port is in use */
export async function startServer({ client, ui, policy, port, now }: WindowServerOptions): Promise<WindowServer> {
  const gate = new Gate(now)
  const server = fastify({ logger: false, forceCloseConnections: true, bodyLimit: 1_024 })
  const link = (fragment = ''): string =>
    `http://127.0.0.1:${gate.port}/open?t=${gate.makeLink()}${fragment === '' ? '' : `&to=${encodeURIComponent(fragment)}`}`
  guard(server, { gate, policy })
  routes(server, gate)
  server.get<{ Querystring: { to?: string } }>('/link', async ({ headers, query, url }, reply) => {
    const question = `${String(headers['x-skein-question'])} ${url}`
    if (!gate.knows(question, String(headers['x-skein-proof']))) return reply.code(401).send()
    const answer = link(query.to)
    return { link: answer, proof: prove(gate.secret, `${question} ${answer}`) }
  })
  await server.register(files, { root: ui, index: ['index.html'], setHeaders: (reply) => void reply.header('cache-control', 'no-cache') })
  const windows = new OpenWindows()
  const sockets = serveApi(server, { gate, client, windows })
  await server.listen({ host: '127.0.0.1', port })
  gate.port = (server.server.address() as AddressInfo).port
  const dropWindows = (): void => {
    for (const socket of sockets.clients) socket.terminate()
  }
  const close = async (): Promise<void> => {
    dropWindows()
    sockets.close()
    await server.close()
  }
  return { link, secret: gate.secret, port: gate.port, windows, dropWindows, [Symbol.asyncDispose]: close }
}

function guard(server: FastifyInstance, { gate, policy }: { readonly gate: Gate; readonly policy: string }): void {
  server.addHook('onRequest', async (request, reply) => {
    secure(reply, policy)
    const refusal = gate.refuseStranger(askedBy(request.raw))
    if (refusal !== undefined) await reply.code(refusal.status).type('text/plain; charset=utf-8').send(refusal.reason)
  })
}

function secure(reply: FastifyReply, policy: string): void {
  void reply.headers({
    'content-security-policy': policy,
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  })
}

function routes(server: FastifyInstance, gate: Gate): void {
  server.get<{ Querystring: { t?: string; to?: string } }>('/open', async ({ query, headers }, reply) => {
    const session = gate.enter(query.t ?? '')
    if (session === undefined)
      return reply
        .code(401)
        .type('text/plain; charset=utf-8')
        .send(wordsFor(headers['accept-language'] ?? '').usedLink)
    // Behind the `#`, which no server sees; the page keeps it for its origin, and takes it out of the address.
    return reply.redirect(`/#session=${session}&to=${encodeURIComponent(query.to ?? '')}`)
  })
  // Tells the page that the client runs here, and not in the page.
  server.get('/host.json', () => ({ version: 1, api: '/api' }))
}

function serveApi(
  server: FastifyInstance,
  { gate, client, windows }: { readonly gate: Gate; readonly windows: OpenWindows } & Pick<WindowServerOptions, 'client'>,
): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_BYTES, handleProtocols: () => PROTOCOL })
  server.server.on('upgrade', (request, socket, head) => {
    const refusal = request.url === '/api' ? gate.refuse({ ...askedBy(request), session: sessionOf(request) }) : { status: 404 }
    const running = client()
    socket.on('error', () => undefined)
    if (refusal === undefined && running !== undefined)
      sockets.handleUpgrade(request, socket, head, (opened) => {
        windows.add(opened)
        serveWebSocket(running, opened)
      })
    else socket.end(`HTTP/1.1 ${refusal?.status ?? 503} Refused\r\nConnection: close\r\n\r\n`)
  })
  return sockets
}

function askedBy({ headers: { host, origin }, socket }: IncomingMessage): Omit<Asked, 'session'> {
  return { host, origin, isOther: isOtherUser(socket) }
}

/** The protocols that a window names are ours and its session: nothing else can be said in the opening of a WebSocket by a page. */
function sessionOf({ headers }: IncomingMessage): string | undefined {
  const [protocol, session] = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
  return protocol === PROTOCOL ? session : undefined
}
