/** The operator's settings as the rules of the relay: every limit is asked here, and every refusal is counted here. */
import type { AdmissionOutcome, AdmissionRequestFrame, CircuitStatus } from '@skein/core'
import type { CircuitChange, CircuitDecision, CircuitEnds, HeldPlaces, Party, Passage, RelayRules } from '@skein/node/swarm'
import type { Settings } from '../settings.ts'
import type { BudgetState } from '../traffic/budget.ts'
import type { Meter } from '../traffic/meter.ts'
import { Pace } from '../traffic/pace.ts'
import { Buckets } from './buckets.ts'
import type { Membership } from './membership.ts'
import { groupsOf } from './networks.ts'

/** Peers whose pace is kept; the others are not slowed. */
const MAX_PACED = 8_192
/** Tries to be admitted by one peer: guessing is hopeless anyway. */
const ADMISSION_RATE = { perSecond: 0.2, burst: 10 }

export type Refused = 'address' | 'network' | 'total' | 'rate' | 'denied' | 'budget' | 'draining'

export interface RuleEvents {
  onJoined(): void
  onLeft(): void
  onRefusedConnection(why: Refused): void
  onRequest: RelayRules['onRequest']
  onCircuit(change: CircuitChange): void
  onWaited(ms: number): void
}

export interface RuleParts {
  readonly membership: Membership
  readonly meter: Meter
  readonly events: RuleEvents
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export class OperatorRules implements RelayRules {
  readonly groupsOf = groupsOf
  readonly onRequest: RelayRules['onRequest']
  readonly onWaited: RelayRules['onWaited']
  /** While the relay is being emptied nobody new is taken. */
  draining = false
  budget: BudgetState = 'none'
  #settings: Settings
  readonly #parts: RuleParts
  readonly #joins: Buckets
  readonly #requests: Buckets
  readonly #connections = new Map<string, number>()
  readonly #circuitsOf = new Map<string, number>()
  readonly #paces = new Map<string, Pace>()
  readonly #whole = new Pace()
  readonly #slow = new Pace()
  #connected = 0
  #circuits = 0

  constructor(settings: Settings, parts: RuleParts) {
    this.#settings = settings
    this.#parts = parts
    this.#joins = new Buckets(parts.now)
    this.#requests = new Buckets(parts.now)
    this.onRequest = parts.events.onRequest
    this.onWaited = parts.events.onWaited
  }

  /** From now on; what stands is not ended by it. */
  apply(settings: Settings): void {
    this.#settings = settings
  }

  admit(peer: string, request: AdmissionRequestFrame): AdmissionOutcome {
    if (!this.#requests.take(`admission ${peer}`, ADMISSION_RATE)) return 'refused'
    return this.#parts.membership.answer(peer, request, this.#settings.mode === 'token')
  }

  mayJoin(address: string): boolean {
    const why = this.#refusal(address)
    if (why !== undefined) {
      this.#parts.events.onRefusedConnection(why)
      return false
    }
    this.#count(address, 1)
    this.#parts.events.onJoined()
    return true
  }

  onLeft(address: string): void {
    this.#count(address, -1)
    this.#parts.events.onLeft()
  }

  mayStay(peer: string): boolean {
    const isDenied = this.#parts.membership.verdictOn(peer) === 'deny'
    if (isDenied) this.#parts.events.onRefusedConnection('denied')
    return !isDenied
  }

  mayReserve({ peer, address }: Party, held: HeldPlaces): CircuitStatus {
    const { limits } = this.#settings
    if (!this.#isAdmitted(peer)) return 'denied'
    const rate = { perSecond: limits.reservationsPerMinutePerPeer / 60, burst: Math.max(1, limits.reservationsPerMinutePerPeer) }
    if (this.draining || this.budget === 'stopped' || !this.#requests.take(`reserve ${peer}`, rate)) return 'resource-limit'
    const [own, network] = groupsOf(address)
    const isFull =
      held.total >= limits.reservations ||
      (own !== undefined && held.inGroup(own) >= limits.reservationsPerAddress) ||
      (network !== undefined && held.inGroup(network) >= limits.reservationsPerNetwork)
    return isFull ? 'reservation-refused' : 'ok'
  }

  mayConnect({ peer }: Party, to: string): CircuitDecision {
    const { limits, strangers } = this.#settings
    const isKnown = this.#isAdmitted(peer)
    if (!isKnown && strangers.circuits === 'none') return { status: 'denied' }
    const rate = { perSecond: limits.circuitsPerMinutePerPeer / 60, burst: Math.max(1, limits.circuitsPerMinutePerPeer) }
    if (this.draining || this.budget === 'stopped' || !this.#requests.take(`connect ${peer}`, rate)) return { status: 'resource-limit' }
    const isFull =
      this.#circuits >= limits.circuits || [peer, to].some((each) => (this.#circuitsOf.get(each) ?? 0) >= limits.circuitsPerPeer)
    if (isFull) return { status: 'resource-limit' }
    const isFree = isKnown || strangers.circuits === 'unlimited'
    return isFree ? { status: 'ok' } : { status: 'ok', limit: { bytes: strangers.bytes, seconds: strangers.seconds } }
  }

  /** Chat never waits for files: it is charged to the relay's rate, and only bulk is held to it. */
  onPassage(ends: CircuitEnds, passage: Passage): number {
    this.#parts.meter.onPassage(ends, passage)
    const { limits, budget } = this.#settings
    const [now, { bytes }] = [this.#parts.now(), passage]
    const whole = this.#whole.charge(bytes, { perSecond: limits.bytesPerSecond, now })
    const own = Math.max(...[ends.from, ends.to].map((peer) => this.#chargePeer(peer, { bytes, now })))
    if (passage.class === 'chat') return own
    const slow = this.budget === 'slow' ? this.#slow.charge(bytes, { perSecond: budget.slowBytesPerSecond, now }) : 0
    return Math.max(whole, own, slow)
  }

  onBytes(direction: 'in' | 'out', bytes: number): void {
    this.#parts.meter.onBytes(direction, bytes)
  }

  onCircuit({ from, to }: CircuitEnds, change: CircuitChange): void {
    const step = change.kind === 'opened' ? 1 : -1
    this.#circuits += step
    for (const peer of [from, to]) addTo(this.#circuitsOf, peer, step)
    this.#parts.events.onCircuit(change)
  }

  #refusal(address: string): Refused | undefined {
    const { limits } = this.#settings
    if (this.draining) return 'draining'
    if (this.budget === 'stopped') return 'budget'
    if (this.#connected >= limits.connections) return 'total'
    const [own = address, network] = groupsOf(address)
    if ((this.#connections.get(own) ?? 0) >= limits.connectionsPerAddress) return 'address'
    if (network !== undefined && (this.#connections.get(network) ?? 0) >= limits.connectionsPerNetwork) return 'network'
    const rate = { perSecond: limits.connectionsPerSecondPerAddress, burst: limits.connectionBurstPerAddress }
    return this.#joins.take(own, rate) ? undefined : 'rate'
  }

  #isAdmitted(peer: string): boolean {
    const { membership } = this.#parts
    const verdict = membership.verdictOn(peer)
    if (verdict !== undefined) return verdict === 'allow'
    if (this.#settings.mode === 'open') return true
    return this.#settings.mode !== 'allowlist' && membership.isMember(peer)
  }

  #chargePeer(peer: string, { bytes, now }: { readonly bytes: number; readonly now: number }): number {
    const perSecond = this.#settings.limits.bytesPerSecondPerPeer
    if (perSecond === 0) return 0
    const pace = this.#paces.get(peer) ?? new Pace()
    this.#paces.delete(peer)
    const oldest = this.#paces.size >= MAX_PACED ? this.#paces.keys().next().value : undefined
    if (oldest !== undefined) this.#paces.delete(oldest)
    this.#paces.set(peer, pace)
    return pace.charge(bytes, { perSecond, now })
  }

  #count(address: string, step: 1 | -1): void {
    this.#connected += step
    for (const group of groupsOf(address)) addTo(this.#connections, group, step)
  }
}

function addTo(counts: Map<string, number>, key: string, step: number): void {
  const count = (counts.get(key) ?? 0) + step
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
