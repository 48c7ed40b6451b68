/** What answers over HTTP cost, by what has really left: a client that goes away pays for nothing that it did not get (RL33). */
import type { Socket } from 'node:net'
import { groupsOf } from './admission/networks.ts'
import type { Settings } from './settings.ts'
import type { BudgetState } from './traffic/budget.ts'
import { Pace } from './traffic/pace.ts'

/** Charged for an answer in advance beside its body, bytes: its head. */
const HEAD_BYTES = 512
/** Addresses and networks whose downloads are known; the one that asked longest ago starts afresh. */
const MAX_KEYS = 65_536
/** While pages are slowed, what an address that has begun to load them gets at once all the same, bytes: the web client, compressed. */
const VISIT_BYTES = 2_097_152
/** How long it has for that, ms. */
const VISIT_MS = 120_000
/** Addresses that have it at one time; what they take is waited for afterwards. */
const MAX_VISITS = 32

export interface DownloadParts {
  limits(): Settings['limits']
  /** Whether downloads are to be slowed, or stopped; and how fast all together may then go, bytes a second. */
  budget(): { readonly state: BudgetState; readonly slowBytesPerSecond: number }
  /** Bytes that have gone out. */
  onBytes(bytes: number): void
  /** Monotonic milliseconds. */
  now(): number
}

/** `undefined`: go on. */
export interface Refusal {
  readonly code: 429 | 503
  readonly reason: string
  readonly retryAfterSeconds: number
}

export interface Answer {
  readonly socket: Pick<Socket, 'bytesWritten' | 'once'>
  /** Tells when the last byte has been handed over, or none will be any more. */
  readonly response: { once(event: 'close', listener: () => void): unknown }
  /** IP address of who asks. */
  readonly address: string
  /** Of the body, as it is announced. */
  readonly bytes: number
}

interface Open {
  /** Bytes of this connection that have been charged. */
  charged: number
  /** Ends the advances of answers that are under way. */
  readonly settles: Set<() => void>
}

interface Visit {
  readonly until: number
  /** Bytes. */
  left: number
}

interface Allowance {
  readonly perSecond: number
  readonly burstMs: number
}

export class Downloads {
  readonly #parts: DownloadParts
  /** The one that asked longest ago first. */
  readonly #paces = new Map<string, Pace>()
  readonly #slow = new Pace()
  /** By address, while pages are slowed. */
  readonly #visits = new Map<string, Visit>()
  readonly #open = new WeakMap<object, Open>()

  constructor(parts: DownloadParts) {
    this.#parts = parts
  }

  /** Whether another page may go to this address. */
  refusal(address: string): Refusal | undefined {
    const { state, slowBytesPerSecond } = this.#parts.budget()
    if (state === 'stopped') return { code: 503, reason: 'budget', retryAfterSeconds: 3_600 }
    const slow = state === 'slow' ? this.#slowWait(ownKey(address), slowBytesPerSecond) : 0
    if (slow > 0) return { code: 503, reason: 'budget', retryAfterSeconds: Math.ceil(slow / 1_000) }
    const own = Math.max(...this.#chargeAll(address, 0))
    return own > 0 ? { code: 429, reason: 'bytes', retryAfterSeconds: Math.ceil(own / 1_000) } : undefined
  }

  /** A browser that gets a page and not its scripts shows nothing and does not ask again: who has begun gets the rest. */
  #slowWait(key: string, perSecond: number): number {
    const now = this.#parts.now()
    const isGoing = ({ until, left }: Visit): boolean => until > now && left > 0
    const visit = this.#visits.get(key)
    if (visit !== undefined && isGoing(visit)) return 0
    const wait = this.#slow.charge(0, { perSecond, now })
    if (wait > 0) return wait
    for (const [each, other] of this.#visits) if (!isGoing(other)) this.#visits.delete(each)
    if (this.#visits.size < MAX_VISITS) this.#visits.set(key, { until: now + VISIT_MS, left: VISIT_BYTES })
    return 0
  }

  #spend(address: string, bytes: number): void {
    const visit = this.#visits.get(ownKey(address))
    if (visit !== undefined) visit.left -= bytes
  }

  /** An answer begins: its address has it in advance, so that it cannot ask for many at once; all else pays for what goes out. */
  begin({ socket, response, address, bytes }: Answer): void {
    const open = this.#openOf(socket)
    const advance = bytes + HEAD_BYTES
    this.#chargeAll(address, advance)
    this.#spend(address, advance)
    const settle = (): void => {
      if (!open.settles.delete(settle)) return
      this.#refundAll(address, advance)
      this.#spend(address, -advance)
      const sent = socket.bytesWritten - open.charged
      open.charged += sent
      this.#charge(address, sent)
    }
    open.settles.add(settle)
    response.once('close', settle)
  }

  #charge(address: string, sent: number): void {
    this.#parts.onBytes(sent)
    this.#spend(address, sent)
    this.#chargeAll(address, sent)
    const { state, slowBytesPerSecond } = this.#parts.budget()
    // What went out before is not to be waited for when the budget becomes slow.
    if (state === 'slow') this.#slow.charge(sent, { perSecond: slowBytesPerSecond, now: this.#parts.now() })
  }

  /** Answers that wait behind another one on their connection are not told when it breaks. */
  #openOf(socket: Answer['socket']): Open {
    const known = this.#open.get(socket)
    if (known !== undefined) return known
    const open: Open = { charged: 0, settles: new Set() }
    this.#open.set(socket, open)
    socket.once('close', () => {
      for (const settle of [...open.settles]) settle()
    })
    return open
  }

  #chargeAll(address: string, bytes: number): number[] {
    const now = this.#parts.now()
    return this.#payers(address).map(([key, allowance]) => this.#paceOf(key).charge(bytes, { ...allowance, now }))
  }

  #refundAll(address: string, bytes: number): void {
    for (const [key, { perSecond }] of this.#payers(address)) this.#paceOf(key).refund(bytes, perSecond)
  }

  /** The address, and its network: one customer of IPv6 has thousands of addresses. */
  #payers(address: string): (readonly [string, Allowance])[] {
    const limits = this.#parts.limits()
    const bounds = [
      [limits.httpBytesPerSecondPerAddress, limits.httpBurstBytesPerAddress],
      [limits.httpBytesPerSecondPerNetwork, limits.httpBurstBytesPerNetwork],
    ] as const
    const [own = address, ...networks] = groupsOf(address)
    return [own, ...networks].map((key, at) => {
      const [perSecond, burst] = bounds[at] ?? bounds[0]
      return [key, { perSecond, burstMs: perSecond === 0 ? 0 : (burst / perSecond) * 1_000 }] as const
    })
  }

  #paceOf(key: string): Pace {
    const pace = this.#paces.get(key) ?? new Pace()
    this.#paces.delete(key)
    this.#paces.set(key, pace)
    const [oldest] = this.#paces.keys()
    if (this.#paces.size > MAX_KEYS && oldest !== undefined) this.#paces.delete(oldest)
    return pace
  }
}

const ownKey = (address: string): string => groupsOf(address)[0] ?? address
