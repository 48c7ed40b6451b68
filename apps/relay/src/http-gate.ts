/** What one address may have of the HTTP and HTTPS ports: connections, requests, and bytes of pages (RL33). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Shares } from '@skein/core'
import { addressOfRequest } from '@skein/node/swarm'
import { Buckets } from './admission/buckets.ts'
import type { Broken } from './broken-requests.ts'
import { groupsOf, originOf } from './admission/networks.ts'
import type { Descriptors } from './descriptors.ts'
import { type DownloadParts, Downloads, type Refusal } from './downloads.ts'

export interface HttpGateParts extends DownloadParts {
  onRefused(reason: string): void
  /** Whether a web server on this machine passes requests on, and names the address of each. */
  readonly behindProxy: boolean
  readonly descriptors: Descriptors
}

export class HttpGate {
  readonly #parts: HttpGateParts
  readonly #connections: Shares
  readonly #requests: Buckets
  readonly #handshakes: Buckets
  readonly #downloads: Downloads

  constructor(parts: HttpGateParts) {
    this.#parts = parts
    this.#downloads = new Downloads(parts)
    this.#requests = new Buckets(() => parts.now())
    this.#handshakes = new Buckets(() => parts.now())
    this.#connections = new Shares(() => {
      const { httpConnections: total, httpConnectionsPerAddress: address, httpConnectionsPerNetwork: network } = parts.limits()
      return { connection: Number.POSITIVE_INFINITY, address, network, total }
    })
  }

  /** Open now. */
  get connections(): number {
    return this.#connections.total
  }

  /** As `mayEnter`, for connections that begin with TLS: each handshake is a signature of the relay's. */
  mayShakeHands(socket: Socket): boolean {
    const { connectionsPerSecondPerAddress: perSecond, connectionBurstPerAddress: burst } = this.#parts.limits()
    const isProxy = this.#parts.behindProxy && isLoopback(socket.remoteAddress)
    const key = originOf(isProxy ? undefined : socket.remoteAddress).address
    const may = key === undefined || this.#handshakes.take(key, { perSecond, burst: Math.max(1, burst) })
    if (!may) this.#parts.onRefused('handshakes')
    return may && this.mayEnter(socket)
  }

  /** Counts a connection until it closes. Whoever has too many is to be turned away. */
  mayEnter(socket: Socket): boolean {
    // A web server in front speaks for everybody.
    const isProxy = this.#parts.behindProxy && isLoopback(socket.remoteAddress)
    const origin = originOf(isProxy ? undefined : socket.remoteAddress)
    const { descriptors } = this.#parts
    const isFull = descriptors.isFull('http')
    if (isFull || !this.#connections.take(origin, 1)) {
      this.#parts.onRefused(isFull ? 'descriptors' : 'connections')
      return false
    }
    descriptors.change(1)
    socket.once('close', () => {
      this.#connections.give(origin, 1)
      descriptors.change(-1)
    })
    return true
  }

  /** @param isDownload whether the answer is a page of the web client, or a file of one */
  refusalOf(request: IncomingMessage, isDownload: boolean): Refusal | undefined {
    const address = this.#addressOf(request)
    const refusal = this.#byRate(groupsOf(address)[0] ?? address) ?? (isDownload ? this.#downloads.refusal(address) : undefined)
    if (refusal !== undefined) this.#parts.onRefused(refusal.reason)
    return refusal
  }

  /** A connection has ended by itself. */
  onBroken(why: Broken): void {
    this.#parts.onRefused(why)
  }

  /** An answer with so many bytes begins. */
  onAnswer(request: IncomingMessage, response: Pick<ServerResponse, 'once'>, bytes: number): void {
    this.#downloads.begin({ socket: request.socket, response, address: this.#addressOf(request), bytes })
  }

  #byRate(key: string): Refusal | undefined {
    const { httpRequestsPerSecondPerAddress: perSecond, httpRequestBurstPerAddress: burst } = this.#parts.limits()
    return this.#requests.take(key, { perSecond, burst: Math.max(1, burst) })
      ? undefined
      : { code: 429, reason: 'rate', retryAfterSeconds: 1 }
  }

  #addressOf(request: IncomingMessage): string {
    return this.#parts.behindProxy ? addressOfRequest(request) : (request.socket.remoteAddress ?? '')
  }
}

function isLoopback(address = ''): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(address)
}
