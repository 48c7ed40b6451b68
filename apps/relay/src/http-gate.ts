/** What one address may have of the HTTP and HTTPS ports: connections, requests, and bytes of pages (RL33). */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Shares } from '@skein/core'
import { addressOfRequest } from '@skein/node/swarm'
import { Buckets } from './admission/buckets.ts'
import { groupsOf, originOf } from './admission/networks.ts'
import type { Descriptors } from './descriptors.ts'
import type { Settings } from './settings.ts'
import type { BudgetState } from './traffic/budget.ts'
import { Pace } from './traffic/pace.ts'

/** Charged for each answer beside its body, bytes: head, TLS and TCP. */
const ANSWER_OVERHEAD_BYTES = 512
/** Addresses whose downloads are known; the one that asked longest ago starts afresh. */
const MAX_ADDRESSES = 65_536

export interface HttpGateParts {
  limits(): Settings['limits']
  /** Whether downloads are to be slowed, or stopped; and how fast all together may then go, bytes a second. */
  budget(): { readonly state: BudgetState; readonly slowBytesPerSecond: number }
  onRefused(reason: string): void
  /** Bytes that have gone out. */
  onBytes(bytes: number): void
  /** Monotonic milliseconds. */
  now(): number
  /** Whether a web server on this machine passes requests on, and names the address of each. */
  readonly behindProxy: boolean
  readonly descriptors: Descriptors
}

/** `undefined`: go on. */
export interface Refusal {
  readonly code: 429 | 503
  readonly reason: string
  readonly retryAfterSeconds: number
}

export class HttpGate {
  readonly #parts: HttpGateParts
  readonly #connections: Shares
  readonly #requests: Buckets
  readonly #handshakes: Buckets
  /** Bytes of each address; the one that asked longest ago first. */
  readonly #downloads = new Map<string, Pace>()
  readonly #slow = new Pace()

  constructor(parts: HttpGateParts) {
    this.#parts = parts
    this.#requests = new Buckets(() => parts.now())
    this.#handshakes = new Buckets(() => parts.now())
    this.#connections = new Shares(() => {
      const { httpConnections: total, httpConnectionsPerAddress: address, httpConnectionsPerNetwork: network } = parts.limits()
      return { connection: Number.POSITIVE_INFINITY, address, network, total }
    })
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
    const refusal = this.#byRate(this.#keyOf(request)) ?? (isDownload ? this.#byBytes(this.#keyOf(request)) : undefined)
    if (refusal !== undefined) this.#parts.onRefused(refusal.reason)
    return refusal
  }

  /** An answer with so many bytes goes out. */
  onAnswer(request: IncomingMessage, bytes: number): void {
    const [all, now] = [bytes + ANSWER_OVERHEAD_BYTES, this.#parts.now()]
    this.#parts.onBytes(all)
    this.#paceOf(this.#keyOf(request)).charge(all, { ...this.#allowance(), now })
    const { state, slowBytesPerSecond } = this.#parts.budget()
    // What went out before is not to be waited for when the budget becomes slow.
    if (state === 'slow') this.#slow.charge(all, { perSecond: slowBytesPerSecond, now })
  }

  #byRate(key: string): Refusal | undefined {
    const { httpRequestsPerSecondPerAddress: perSecond, httpRequestBurstPerAddress: burst } = this.#parts.limits()
    return this.#requests.take(key, { perSecond, burst: Math.max(1, burst) })
      ? undefined
      : { code: 429, reason: 'rate', retryAfterSeconds: 1 }
  }

  #byBytes(key: string): Refusal | undefined {
    const { state, slowBytesPerSecond } = this.#parts.budget()
    if (state === 'stopped') return { code: 503, reason: 'budget', retryAfterSeconds: 3_600 }
    const now = this.#parts.now()
    const slow = state === 'slow' ? this.#slow.charge(0, { perSecond: slowBytesPerSecond, now }) : 0
    if (slow > 0) return { code: 503, reason: 'budget', retryAfterSeconds: Math.ceil(slow / 1_000) }
    const own = this.#paceOf(key).charge(0, { ...this.#allowance(), now })
    return own > 0 ? { code: 429, reason: 'bytes', retryAfterSeconds: Math.ceil(own / 1_000) } : undefined
  }

  #allowance(): { readonly perSecond: number; readonly burstMs: number } {
    const { httpBytesPerSecondPerAddress: perSecond, httpBurstBytesPerAddress: burst } = this.#parts.limits()
    return { perSecond, burstMs: perSecond === 0 ? 0 : (burst / perSecond) * 1_000 }
  }

  #paceOf(key: string): Pace {
    const pace = this.#downloads.get(key) ?? new Pace()
    this.#downloads.delete(key)
    this.#downloads.set(key, pace)
    const [oldest] = this.#downloads.keys()
    if (this.#downloads.size > MAX_ADDRESSES && oldest !== undefined) this.#downloads.delete(oldest)
    return pace
  }

  #keyOf(request: IncomingMessage): string {
    const address = this.#parts.behindProxy ? addressOfRequest(request) : (request.socket.remoteAddress ?? '')
    return groupsOf(address)[0] ?? address
  }
}

function isLoopback(address = ''): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(address)
}
