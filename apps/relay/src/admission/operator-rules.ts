/** The operator's settings as the rules of the relay: every limit is asked here, and every refusal is counted here. */
import type { AdmissionOutcome, AdmissionRequestFrame, CircuitStatus, Origin } from '@skein/core'
import type {
  Caller,
  CircuitChange,
  CircuitDecision,
  CircuitEnds,
  HeldPlaces,
  Party,
  Passage,
  RelayRules,
  Service,
} from '@skein/node/swarm'
import type { Settings } from '../settings.ts'
import type { BudgetState } from '../traffic/budget.ts'
import type { HeldBy, Meter } from '../traffic/meter.ts'
import { DayClients } from '../traffic/day-clients.ts'
import { Pace } from '../traffic/pace.ts'
import type { Descriptors } from '../descriptors.ts'
import { Buckets } from './buckets.ts'
import type { Membership } from './membership.ts'
import { addTo, CircuitCounts, type FullOf } from './circuit-counts.ts'
import { groupsOf } from './networks.ts'

/** Peers whose pace is kept; the others are not slowed. */
const MAX_PACED = 8_192
/** What chat may take of the relay's rate before bulk has its turn again, ms of the rate. */
const MAX_CHAT_DEBT_MS = 30_000
/** For which a rate is named as what makes it slow, ms. */
const SLOWED_LATELY_MS = 60_000
/** Tries to be admitted by one peer: guessing is hopeless anyway. */
const ADMISSION_RATE = { perSecond: 0.2, burst: 10 }

export type Refused = 'address' | 'network' | 'total' | 'rate' | 'denied' | 'budget' | 'draining' | 'descriptors'

/** Why there is no place, or no circuit. */
type WhyNot = 'not-admitted' | 'draining' | 'budget' | 'rate' | FullOf

/** What a device is told that gets no place; for the others that there are no more. */
const STATUS_OF: Partial<Record<WhyNot, CircuitStatus>> = {
  'not-admitted': 'denied',
  draining: 'resource-limit',
  budget: 'resource-limit',
  rate: 'resource-limit',
}

export interface RuleEvents {
  onJoined(): void
  onLeft(): void
  onRefusedConnection(why: Refused): void
  onRequest: RelayRules['onRequest']
  onCircuit(change: CircuitChange): void
  onWaited(ms: number): void
  onRoundTrip(ms: number): void
  onRefused(service: string, reason: string): void
}

export interface RuleParts {
  readonly membership: Membership
  readonly meter: Meter
  readonly events: RuleEvents
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly descriptors: Descriptors
}

export class OperatorRules implements RelayRules {
  readonly groupsOf = groupsOf
  readonly onRequest: RelayRules['onRequest']
  readonly onWaited: RelayRules['onWaited']
  readonly onRoundTrip: RelayRules['onRoundTrip']
  readonly onRefused: RelayRules['onRefused']
  /** While the relay is being emptied nobody new is taken. */
  draining = false
  budget: BudgetState = 'none'
  /** Who has been here today. */
  readonly clients = new DayClients(Date.now)
  #settings: Settings
  readonly #parts: RuleParts
  readonly #joins: Buckets
  readonly #requests: Buckets
  readonly #services: Buckets
  readonly #connections = new Map<string, number>()
  readonly #circuits = new CircuitCounts()
  readonly #paces = new Map<string, Pace>()
  readonly #whole = new Pace()
  readonly #slow = new Pace()
  /** When a rate last made somebody wait, by the name of its setting. */
  readonly #slowedAt = new Map<string, number>()
  #connected = 0

  constructor(settings: Settings, parts: RuleParts) {
    this.#settings = settings
    this.#parts = parts
    this.#joins = new Buckets(parts.now)
    this.#requests = new Buckets(parts.now)
    this.#services = new Buckets(parts.now)
    this.onRequest = parts.events.onRequest
    this.onWaited = parts.events.onWaited
    this.onRoundTrip = parts.events.onRoundTrip
    this.onRefused = parts.events.onRefused
  }

  /** From now on; what is owed is reckoned at the new rates. What stands is not ended by it. */
  apply(settings: Settings): void {
    this.#settings = settings
  }

  /** Whether this peer belongs here. */
  isAdmitted(peer: string): boolean {
    const { membership } = this.#parts
    const verdict = membership.verdictOn(peer)
    if (verdict !== undefined) return verdict === 'allow'
    if (this.#settings.mode === 'open') return true
    return this.#settings.mode !== 'allowlist' && membership.isMember(peer)
  }

  mayAsk(service: Service, { peer, address }: Caller): boolean {
    const { limits } = this.#settings
    const [own = peer] = address === undefined ? [] : groupsOf(address)
    const rate = { perSecond: limits.requestsPerSecondPerAddress, burst: Math.max(1, limits.requestBurstPerAddress) }
    const isSpent = this.budget === 'stopped'
    const may = !isSpent && this.#services.take(`${service} ${own}`, rate)
    if (!may) this.onRefused(service, isSpent ? 'budget' : 'rate')
    return may
  }

  dhtRecords(): ReturnType<RelayRules['dhtRecords']> {
    const { dhtRecords: total, dhtRecordsPerAddress: address, dhtRecordsPerNetwork: network } = this.#settings.limits
    return { address, network, total }
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
    const may = this.#isNotDenied(peer)
    if (may) this.clients.note(peer)
    if (!may) this.#parts.events.onRefusedConnection('denied')
    return may
  }

  mayReserve(member: Party, held: HeldPlaces): CircuitStatus {
    const why = this.#whyNoPlace(member, held)
    if (why === undefined) this.#parts.membership.noteSeen(member.peer)
    else this.#parts.events.onRefused('reserve', why)
    return why === undefined ? 'ok' : (STATUS_OF[why] ?? 'reservation-refused')
  }

  #whyNoPlace({ peer, address }: Party, held: HeldPlaces): WhyNot | undefined {
    const { limits } = this.#settings
    if (!this.isAdmitted(peer)) return 'not-admitted'
    const rate = { perSecond: limits.reservationsPerMinutePerPeer / 60, burst: Math.max(1, limits.reservationsPerMinutePerPeer) }
    const shut = this.#whyShut() ?? (this.#requests.take(`reserve ${peer}`, rate) ? undefined : 'rate')
    if (shut !== undefined) return shut
    const [own, network] = groupsOf(address)
    if (held.total >= limits.reservations) return 'total'
    if (own !== undefined && held.inGroup(own) >= limits.reservationsPerAddress) return 'address'
    return network !== undefined && held.inGroup(network) >= limits.reservationsPerNetwork ? 'network' : undefined
  }

  mayConnect(from: Party, to: string): CircuitDecision {
    const { strangers } = this.#settings
    const isKnown = this.isAdmitted(from.peer)
    const why = this.#whyNoCircuit(from, { to, isKnown })
    if (why !== undefined) {
      this.#parts.events.onRefused('connect', why)
      return { status: why === 'not-admitted' ? 'denied' : 'resource-limit' }
    }
    const isFree = isKnown || strangers.circuits === 'unlimited'
    return isFree ? { status: 'ok' } : { status: 'ok', limit: { bytes: strangers.bytes, seconds: strangers.seconds } }
  }

  #whyNoCircuit(from: Party, { to, isKnown }: { readonly to: string; readonly isKnown: boolean }): WhyNot | undefined {
    if (!isKnown && this.#settings.strangers.circuits === 'none') return 'not-admitted'
    const wanted = { from: from.peer, to, address: from.address, isStranger: !isKnown }
    return this.#whyShut() ?? (this.#mayConnectAgain(from) ? this.#circuits.whyFull(wanted, this.#settings.limits) : 'rate')
  }

  #whyShut(): 'draining' | 'budget' | undefined {
    if (this.draining) return 'draining'
    return this.budget === 'stopped' ? 'budget' : undefined
  }

  /** A raw connection, for which there were tickets: of those who may have circuits without a limit. */
  mayBegin(peer: string): boolean {
    const isAllowed = this.isAdmitted(peer) || (this.#settings.strangers.circuits === 'unlimited' && this.#isNotDenied(peer))
    return this.#whyShut() === undefined && isAllowed
  }

  /** What stands and would not be begun any more, as it is limited or not, ends when the settings change. */
  mayGoOn(peer: string, isLimited: boolean): boolean {
    if (this.isAdmitted(peer)) return true
    const { circuits } = this.#settings.strangers
    return circuits !== 'none' && this.#isNotDenied(peer) && (isLimited || circuits === 'unlimited')
  }

  #isNotDenied(peer: string): boolean {
    return this.#parts.membership.verdictOn(peer) !== 'deny'
  }

  holdCircuit({ from, to, address }: CircuitEnds): () => void {
    const held = { from, to, address }
    this.#circuits.begin(held, !this.isAdmitted(from))
    return () => this.#circuits.end(held)
  }

  /** By rate: of the peer, and of all that come from its address. */
  #mayConnectAgain({ peer, address }: Party): boolean {
    const { circuitsPerMinutePerPeer: ofPeer, circuitsPerMinutePerAddress: ofAddress } = this.#settings.limits
    const may = (key: string, most: number): boolean => this.#requests.take(key, { perSecond: most / 60, burst: Math.max(1, most) })
    return may(`connect ${peer}`, ofPeer) && may(`connect ${groupsOf(address)[0] ?? peer}`, ofAddress)
  }

  /** Chat never waits for files: it is charged to the relay's rate, and only bulk is held to it. */
  onPassage(ends: Pick<CircuitEnds, 'from' | 'to'>, passage: Passage): number {
    this.#parts.meter.onPassage(ends, passage)
    const { limits, budget } = this.#settings
    const [now, { bytes }] = [this.#parts.now(), passage]
    // Chat does not wait for this, so that it may not leave a debt that bulk would wait for without end.
    const most = passage.class === 'chat' ? MAX_CHAT_DEBT_MS : undefined
    const whole = this.#whole.charge(bytes, { perSecond: limits.bytesPerSecond, now, maxDebtMs: most })
    // Who is called pays for what it sends, and not for what others send it.
    const payers = new Set([ends.from, passage.sender ?? ends.to])
    const own = Math.max(...[...payers].map((peer) => this.#chargePeer(peer, { bytes, now })))
    if (own > 0) this.#slowedAt.set('limits.bytesPerSecondPerPeer', now)
    if (passage.class === 'chat') return this.#held('peer', bytes, own)
    if (whole > 0) this.#slowedAt.set('limits.bytesPerSecond', now)
    const slow = this.budget === 'slow' ? this.#slow.charge(bytes, { perSecond: budget.slowBytesPerSecond, now }) : 0
    const longest = Math.max(own, whole, slow)
    return this.#held(longest === own ? 'peer' : longest === whole ? 'relay' : 'budget', bytes, longest)
  }

  #held(by: HeldBy, bytes: number, ms: number): number {
    if (ms > 0) this.#parts.meter.onHeld(by, bytes)
    return ms
  }

  /**
   * Mail of so many bytes comes or goes; its devices go by names that nobody knows, so that their address is held to the rate
   * of one. Like chat it is charged to the rate of all. @returns ms to wait before it, infinite when the month is used up
   */
  onMail({ address, connection }: Origin, bytes: number): number {
    if (this.budget === 'stopped') {
      this.#parts.events.onRefused('mail', 'budget')
      return Number.POSITIVE_INFINITY
    }
    const now = this.#parts.now()
    this.#whole.charge(bytes, { perSecond: this.#settings.limits.bytesPerSecond, now, maxDebtMs: MAX_CHAT_DEBT_MS })
    return this.#held('peer', bytes, this.#chargePeer(`mail ${address ?? connection}`, { bytes, now }))
  }

  /** Names of the settings that have made somebody wait in the last minute. */
  slowedBy(): string[] {
    const since = this.#parts.now() - SLOWED_LATELY_MS
    return [...this.#slowedAt].filter(([, at]) => at > since).map(([name]) => name)
  }

  onBytes(direction: 'in' | 'out', bytes: number): void {
    this.#parts.meter.onBytes(direction, bytes)
  }

  onCircuit(ends: CircuitEnds, change: CircuitChange): void {
    if (change.kind === 'opened') this.#circuits.begin(ends, !this.isAdmitted(ends.from))
    else this.#circuits.end(ends)
    this.#parts.events.onCircuit(change)
  }

  #refusal(address: string): Refused | undefined {
    const { limits } = this.#settings
    const shut = this.#whyShut()
    if (shut !== undefined) return shut
    if (this.#parts.descriptors.isFull('connections')) return 'descriptors'
    if (this.#connected >= limits.connections) return 'total'
    const [own = address, network] = groupsOf(address)
    if ((this.#connections.get(own) ?? 0) >= limits.connectionsPerAddress) return 'address'
    if (network !== undefined && (this.#connections.get(network) ?? 0) >= limits.connectionsPerNetwork) return 'network'
    const rate = { perSecond: limits.connectionsPerSecondPerAddress, burst: limits.connectionBurstPerAddress }
    return this.#joins.take(own, rate) ? undefined : 'rate'
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
    this.#parts.descriptors.change(step)
    for (const group of groupsOf(address)) addTo(this.#connections, group, step)
  }
}
