/**
 * Everything that browsers need on one port behind TLS: the page, `/relay.json` and WebSockets. While the authority of the
 * certificate wants a proof, connections are looked at first: those that name `acme-tls/1` get the proof and nothing else.
 */
import { createServer as createHttps, type Server as HttpsServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTls } from 'node:tls'
import { type Broken, endBroken, noteUnread, whyNoTls } from '../broken-requests.ts'
import { openPort } from '../port-in-use.ts'
import type { Certificate } from './certificate-keeper.ts'

/** For the TLS handshake and for the head of a request, ms. */
const HANDSHAKE_WITHIN_MS = 10_000
/** Looks for what takes longer, in that time. */
const LOOKS = 5
/** Ms in which a connection that carries nothing ends; WebSockets have limits of their own. */
const IDLE_MS = 20_000
/** As at the HTTP port: who wants more connects anew, which is counted and limited. */
const MAX_REQUESTS_PER_SOCKET = 100
/** RFC 8737 §6.2. */
const ACME_ALPN = 'acme-tls/1'

export interface FrontHandlers {
  /** Asked as soon as somebody is there, and counts them; at `false` the socket is turned away. */
  mayEnter(socket: Socket): boolean
  onRequest(request: IncomingMessage, response: ServerResponse): void
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** A connection has ended by itself. */
  onBroken(why: Broken): void
}

export class HttpsFront implements AsyncDisposable {
  readonly #server: Server
  readonly #https: HttpsServer
  readonly #mayEnter: FrontHandlers['mayEnter']
  readonly #onBroken: FrontHandlers['onBroken']
  readonly #withinMs: number
  readonly #open = new Set<Socket>()
  #hasCertificate = false
  #proof: Certificate | undefined

  /** @param withinMs for the TLS handshake and for the head of a request @param idleMs in which a connection that carries nothing ends */
  constructor({ mayEnter, onRequest, onUpgrade, onBroken }: FrontHandlers, withinMs = HANDSHAKE_WITHIN_MS, idleMs = IDLE_MS) {
    this.#mayEnter = mayEnter
    this.#onBroken = onBroken
    this.#withinMs = withinMs
    const limits = {
      headersTimeout: withinMs,
      requestTimeout: withinMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: withinMs / LOOKS,
    }
    this.#https = createHttps({ handshakeTimeout: withinMs, ALPNProtocols: ['http/1.1'], ...limits }, onRequest)
    // It never listens itself, and Node.js looks after the time of requests from this event on only.
    this.#https.emit('listening')
    this.#https.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET
    this.#https.setTimeout(idleMs)
    this.#https.on('upgrade', (request, socket, head) => {
      request.socket.setTimeout(0)
      onUpgrade(request, socket, head)
    })
    this.#https.prependListener('secureConnection', (socket) => noteUnread(socket, onBroken))
    this.#https.on('clientError', (error, socket) => endBroken(error, socket as Socket, onBroken))
    this.#https.on('tlsClientError', (error, socket) => this.#cut(socket, whyNoTls(error)))
    this.#server = createServer((socket) => this.#take(socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** @throws SkeinError PORT_IN_USE, USAGE */
  listen(host: string, port: number): Promise<void> {
    return openPort(this.#server, { port, start: () => this.#server.listen(port, host) })
  }

  /** From now on, for new connections. */
  show({ key, chain }: Certificate): void {
    this.#https.setSecureContext({ key, cert: chain, minVersion: 'TLSv1.2' })
    this.#hasCertificate = true
  }

  prove(proof: Certificate | undefined): void {
    this.#proof = proof
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#open) socket.destroy()
    this.#https.close()
    await closed
  }

  #take(socket: Socket): void {
    if (!this.#mayEnter(socket)) return void socket.destroy()
    this.#open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#open.delete(socket))
    if (this.#proof === undefined) {
      this.#serve(socket)
      return
    }
    const cut = setTimeout(() => this.#cut(socket, 'timeout'), this.#withinMs)
    socket.once('close', () => clearTimeout(cut))
    socket.once('readable', () => {
      clearTimeout(cut)
      const hello = socket.read() as Buffer | null
      if (hello === null) return this.#cut(socket, 'tls')
      socket.unshift(hello)
      // The name of a protocol stands in clear in the first message; nothing else of it has to be understood.
      if (this.#proof !== undefined && hello.includes(ACME_ALPN)) prove(socket, this.#proof, (error) => this.#cut(socket, whyNoTls(error)))
      else this.#serve(socket)
    })
  }

  #cut(socket: Socket, why: Broken): void {
    this.#onBroken(why)
    socket.destroy()
  }

  #serve(socket: Socket): void {
    if (this.#hasCertificate) this.#https.emit('connection', socket)
    else this.#cut(socket, 'tls')
  }
}

/** The authority looks at the certificate of the handshake, and goes. */
function prove(socket: Socket, { key, chain }: Certificate, onFailed: (error: Error) => void): void {
  const once = createTls({ key, cert: chain, ALPNProtocols: [ACME_ALPN], handshakeTimeout: HANDSHAKE_WITHIN_MS })
  once.on('secureConnection', (secured) => secured.end())
  once.on('tlsClientError', onFailed)
  once.emit('connection', socket)
}
