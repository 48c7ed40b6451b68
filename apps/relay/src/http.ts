/** The relay's HTTP side: health, readiness, metrics, and the description that clients start from. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fastify } from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Broken, endBroken, noteUnread } from './broken-requests.ts'
import type { HttpGate } from './http-gate.ts'
import { serveWebClient, type WebClient } from './web-client.ts'
import type { OperatorStatus } from './operator.ts'
import { explainPort } from './port-in-use.ts'
import { STATUS_POLICY, statusPage, type StatusView } from './status-page.ts'

/** Largest request body, bytes: no route takes one. */
const BODY_LIMIT_BYTES = 1_024
/** Ms until an idle client loses its place. */
const REQUEST_TIMEOUT_MS = 10_000
/** Then a client has to connect anew, which is counted and limited: thousands sent at once would be worked off first. */
const MAX_REQUESTS_PER_SOCKET = 100
/** Ms in which a connection that carries nothing ends: its client does not take what it has asked for. */
const IDLE_MS = 20_000
/** Between two looks for clients that dribble, ms; the library's is 30 s. */
const LOOK_EVERY_MS = 2_000

/** `/relay.json`, version 1. */
export interface RelayDescription {
  readonly version: 1
  readonly peer_id: string
  readonly addresses: readonly string[]
  readonly stun: readonly string[]
  readonly reflector: string | null
}

export interface HttpSources {
  /** Names of the parts that are not ready. */
  waiting(): readonly string[]
  /** `localHost` is the address on which the request came in; `undefined` before the relay has started. */
  describe(localHost: string): RelayDescription | undefined
  metrics(): Promise<string>
  /** `undefined` before the relay has started. */
  status(): OperatorStatus | undefined
  onRequest(code: number): void
  /** What members enter, if it is known. */
  memberUrl(): string | undefined
}

export interface HttpServer extends AsyncDisposable {
  /** `undefined` where it listens on none of its own. */
  readonly port: number | undefined
  /** Answers a request that came in elsewhere. */
  onRequest(request: IncomingMessage, response: ServerResponse): void
}

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Skein relay</title><h1>Skein relay</h1>
<p>This is a relay of Skein, a peer-to-peer messenger. It introduces devices to each other and carries what they have
encrypted; it can read nothing. To use it, enter this page's address as the relay in Skein.</p>
<p><a href="/relay.json">relay.json</a> · <a href="/readyz">readyz</a> · <a href="/status">status</a></p></html>
`

/** What programs and operators ask for; everything else is a page, or a file of one. */
const SMALL = new Set(['/healthz', '/readyz', '/metrics', '/relay.json', '/status', '/status.json'])

export interface HttpListen {
  readonly gate: HttpGate
  readonly host: string
  readonly port: number | 'off'
  /** For tests: ms in which a connection that carries nothing ends. */
  readonly idleMs?: number
  /** Served under `/`; without it a page that says what this is. */
  readonly web?: WebClient | undefined
}

/** @throws SkeinError PORT_IN_USE */
export async function startHttp(sources: HttpSources, listen: HttpListen): Promise<HttpServer> {
  const onBroken = (why: Broken): void => listen.gate.onBroken(why)
  const { idleMs = IDLE_MS } = listen
  const server = fastify({
    logger: false,
    clientErrorHandler: (error, socket) => endBroken(error, socket, onBroken),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: idleMs,
    keepAliveTimeout: idleMs,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
    forceCloseConnections: true,
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: LOOK_EVERY_MS },
  })
  server.addHook('onResponse', async (_, reply) => sources.onRequest(reply.statusCode))
  addGate(server, listen.gate)
  addRoutes(server, sources)
  addStatus(server, sources)
  if (listen.web === undefined) server.get('/', (_, reply) => reply.type('text/html; charset=utf-8').send(PAGE))
  else await serveWebClient(server, listen.web)
  const port = await listenOrNot(server, listen)
  return { port, onRequest: (request, response) => server.routing(request, response), [Symbol.asyncDispose]: () => server.close() }
}

function addGate(server: FastifyInstance, gate: HttpGate): void {
  server.server.prependListener('connection', (socket: Socket) => {
    if (gate.mayEnter(socket)) noteUnread(socket, (why) => gate.onBroken(why))
    else socket.destroy()
  })
  server.addHook('onRequest', async (request, reply) => {
    const [path = ''] = request.url.split('?')
    const refusal = gate.refusalOf(request.raw, !SMALL.has(path))
    if (refusal === undefined) return
    const { code, reason, retryAfterSeconds } = refusal
    return uncached(reply).code(code).header('retry-after', String(retryAfterSeconds)).send({ statusCode: code, refused: reason })
  })
  server.addHook('onSend', async (request, reply, payload) => {
    gate.onAnswer(request.raw, reply.raw, lengthOf(request, reply, payload))
  })
}

/** Of the body, bytes. */
function lengthOf({ method }: FastifyRequest, reply: FastifyReply, payload: unknown): number {
  if (method === 'HEAD') return 0
  const told = Number(reply.getHeader('content-length'))
  if (told > 0) return told
  return typeof payload === 'string' ? Buffer.byteLength(payload) : 0
}

async function listenOrNot(server: FastifyInstance, { host, port }: HttpListen): Promise<number | undefined> {
  if (port === 'off') {
    await server.ready()
    return undefined
  }
  try {
    await server.listen({ host, port })
  } catch (error) {
    throw explainPort(error, port)
  }
  return (server.server.address() as AddressInfo).port
}

function addRoutes(server: FastifyInstance, sources: HttpSources): void {
  server.get('/healthz', (_, reply) => uncached(reply).send({ ok: true }))
  server.get('/readyz', (_, reply) => {
    const waiting = sources.waiting()
    return uncached(reply)
      .code(waiting.length === 0 ? 200 : 503)
      .send({ ready: waiting.length === 0, waiting })
  })
  server.get('/metrics', async (_, reply) =>
    uncached(reply)
      .type('text/plain; version=0.0.4')
      .send(await sources.metrics()),
  )
  server.get('/relay.json', (request, reply) => {
    const description = sources.describe((request.socket.localAddress ?? '127.0.0.1').replace(/^::ffff:/i, ''))
    // Pages from anywhere read it: it is public, and a web client may come from another relay.
    const open = uncached(reply).header('access-control-allow-origin', '*')
    return description === undefined ? open.code(503).send({ ready: false }) : open.send(description)
  })
}

/** For people and for programs; nothing on it names a peer or an address of one. */
function addStatus(server: FastifyInstance, sources: HttpSources): void {
  const pageOf = lastPage()
  server.get('/status.json', (_, reply) => {
    const status = sources.status()
    return uncached(reply)
      .code(status === undefined ? 503 : 200)
      .send({ ...status, waiting: sources.waiting() })
  })
  server.get('/status', (request, reply) => {
    const status = sources.status()
    if (status === undefined) return uncached(reply).code(503).send({ ready: false })
    const url = sources.memberUrl() ?? `${request.protocol}://${request.host}`
    const page = pageOf({ url, status, waiting: sources.waiting() })
    return uncached(reply).header('content-security-policy', STATUS_POLICY).type('text/html; charset=utf-8').send(page)
  })
}

/** The page as it was, while nothing on it has changed: its code costs a millisecond, and anybody may ask. */
function lastPage(): (view: StatusView) => string {
  let last: { readonly view: StatusView; readonly page: string } | undefined
  return (view) => {
    const isSame = last?.view.status === view.status && last.view.url === view.url && last.view.waiting.join() === view.waiting.join()
    if (last === undefined || !isSame) last = { view, page: statusPage(view) }
    return last.page
  }
}

function uncached(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store')
}
