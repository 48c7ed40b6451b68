/** Prometheus metrics of one relay; none of them names a peer or an address. */
import type { CircuitChange, RelayRules } from '@skein/node/swarm'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Refused, RuleEvents } from './admission/operator-rules.ts'
import type { Refusal } from './refusals.ts'
import type { Meter } from './traffic/meter.ts'
import type { BudgetState } from './traffic/budget.ts'

export interface MetricSources {
  connections(): number
  /** Devices that have more than one connection count as one. */
  peers(): number
  clientsToday(): number
  httpConnections(): number
  reservations(): number
  circuits(): number
  /** Seconds. */
  oldestHold(): number
  dhtPeers(): number
  dhtRecords(): number
  gossipMessages(): number
  mailStreams(): number
  mailTags(): number
  mailHeldBytes(): number
  cards(): number
  stunRequests(): number
  stunRefused(): number
  members(): number
  budgetUsedBytes(): number
  budgetLimitBytes(): number
  /** When the certificate ends, seconds since 1970; 0 for none. */
  certificateExpires(): number
  /** Whether everything is ready. */
  status(): number
}

/** Values with labels, read when somebody asks. */
export interface LabelledSources {
  relayedBytes(): Readonly<Record<string, number>>
  relayedPieces(): Readonly<Record<string, number>>
  held(): Meter['held']
  carriedBytes(): Readonly<Record<string, number>>
  places(): Readonly<Record<string, number>>
  /** By what the port is for. */
  udpDrops(): Readonly<Record<string, number>>
  limits(): Readonly<Record<string, number>>
  budgetState(): BudgetState
  mailKept(): Promise<{ readonly envelopes: number; readonly bytes: number }>
  refusals(): readonly Refusal[]
}

const GAUGES: readonly (readonly [keyof MetricSources, string, string])[] = [
  ['status', 'skein_relay_status', '1 when every part of the relay is ready, 0 otherwise.'],
  ['connections', 'skein_relay_connections', 'Open connections.'],
  ['peers', 'skein_relay_peers', 'Devices that have a connection; those that have several count once.'],
  [
    'clientsToday',
    'skein_relay_clients_today',
    'Devices that have been here on this day, UTC; at most 65,536, and from the start of the process.',
  ],
  ['httpConnections', 'skein_relay_http_connections', 'Open connections to the HTTP and HTTPS ports.'],
  ['reservations', 'skein_relay_reservations', 'Devices that can be reached through this relay.'],
  ['circuits', 'skein_relay_circuits', 'Relayed connections that are open.'],
  [
    'oldestHold',
    'skein_relay_oldest_wait_seconds',
    'How long what has been held up longest waits already: for its receiver, a rate or its turn.',
  ],
  ['dhtPeers', 'skein_relay_dht_peers', 'Peers in the routing table of the DHT.'],
  ['dhtRecords', 'skein_relay_dht_records', 'Records that the DHT keeps.'],
  ['mailStreams', 'skein_relay_mail_streams', 'Open streams at the mailbox.'],
  ['mailTags', 'skein_relay_mail_tags', 'Tags that are watched at the mailbox.'],
  ['mailHeldBytes', 'skein_relay_mail_held_bytes', 'Bytes of mail that are under way at the mailbox.'],
  ['gossipMessages', 'skein_relay_gossip_messages', 'Gossip messages since the start.'],
  ['cards', 'skein_relay_cards', 'Cards in the card drop.'],
  ['stunRequests', 'skein_relay_stun_requests', 'Answered STUN requests since the start.'],
  ['stunRefused', 'skein_relay_stun_refused', 'Datagrams on the STUN ports since the start that were no questions.'],
  ['members', 'skein_relay_members', 'Devices that a token or an invite has admitted.'],
  [
    'certificateExpires',
    'skein_relay_certificate_expires_seconds',
    'When the certificate of --https ends, in seconds since 1970; 0 for none.',
  ],
  ['budgetUsedBytes', 'skein_relay_budget_used_bytes', "Traffic of the budget's current month."],
  ['budgetLimitBytes', 'skein_relay_budget_limit_bytes', 'Traffic that the month allows; 0 for no budget.'],
]
const BUDGET_STATES: readonly BudgetState[] = ['none', 'ok', 'warned', 'slow', 'stopped']
/** From a hop inside the process to a receiver that hardly reads, seconds. */
const DELAY_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const DURATION_BUCKETS = [1, 10, 60, 300, 1_800, 3_600, 21_600, 86_400, 604_800]

/** For which figures are good, ms. */
const FRESH_MS = 1_000

export interface Metrics extends Omit<RuleEvents, 'onRefused'> {
  text(): Promise<string>
  onHttp(status: number): void
  onClockSet(): void
  /** Values since the start, for the status page. */
  totals(): { readonly accepted: number; readonly refused: Readonly<Record<string, number>> }
}

export function createMetrics(sources: MetricSources & LabelledSources): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const [source, name, help] of GAUGES) {
    const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(sources[source]()) })
  }
  addLabelled(registry, sources)
  addMail(registry, sources)
  addPassage(registry, sources)
  addDrops(registry, sources)
  return new RelayMetrics(registry)
}

function addLabelled(registry: Registry, sources: LabelledSources): void {
  const registers = [registry]
  const relayed: Counter = new Counter({
    name: 'skein_relay_relayed_bytes_total',
    help: 'Bytes carried over circuits, by class.',
    labelNames: ['class'],
    registers,
    collect: () => setCounter(relayed, 'class', sources.relayedBytes()),
  })
  const places: Counter = new Counter({
    name: 'skein_relay_reservation_changes_total',
    help: 'Places that began, were asked for again, and have ended.',
    labelNames: ['change'],
    registers,
    collect: () => setCounter(places, 'change', sources.places()),
  })
  const carried: Counter = new Counter({
    name: 'skein_relay_carried_bytes_total',
    help: 'Bytes of all connections as the transports carry them, by direction.',
    labelNames: ['direction'],
    registers,
    collect: () => setCounter(carried, 'direction', sources.carriedBytes()),
  })
  const refusals: Counter = new Counter({
    name: 'skein_relay_refusals_total',
    help: 'What was refused at a limit, could not be read or came to nothing, by service and reason.',
    labelNames: ['service', 'reason'],
    registers,
    collect: () => {
      refusals.reset()
      for (const { count, ...labels } of sources.refusals()) refusals.inc(labels, count)
    },
  })
  const limits: Gauge = new Gauge({
    name: 'skein_relay_limit',
    help: 'Limits in force.',
    labelNames: ['name'],
    registers,
    collect: () => {
      for (const [name, value] of Object.entries(sources.limits())) limits.set({ name }, value)
    },
  })
  const budget: Gauge = new Gauge({
    name: 'skein_relay_budget_state',
    help: 'The state of the monthly budget: 1 for the one in force.',
    labelNames: ['state'],
    registers,
    collect: () => {
      for (const state of BUDGET_STATES) budget.set({ state }, state === sources.budgetState() ? 1 : 0)
    },
  })
}

function addPassage(registry: Registry, sources: Pick<LabelledSources, 'relayedPieces' | 'held'>): void {
  const registers = [registry]
  const pieces: Counter = new Counter({
    name: 'skein_relay_relayed_pieces_total',
    help: 'Pieces in which bytes came in over circuits and went out again, by class; none is dropped.',
    labelNames: ['class'],
    registers,
    collect: () => setCounter(pieces, 'class', sources.relayedPieces()),
  })
  const bytes: Counter = new Counter({
    name: 'skein_relay_held_bytes_total',
    help: 'Bytes after which their sender had to wait, by the rate that it was for: of one peer, of the relay, or near the end of the budget.',
    labelNames: ['rate'],
    registers,
  })
  const times: Counter = new Counter({
    name: 'skein_relay_holds_total',
    help: 'How often a sender had to wait for a rate.',
    labelNames: ['rate'],
    registers,
    collect: () => {
      for (const counter of [bytes, times]) counter.reset()
      for (const [rate, held] of Object.entries(sources.held())) {
        bytes.inc({ rate }, held.bytes)
        times.inc({ rate }, held.times)
      }
    },
  })
}

function addDrops(registry: Registry, { udpDrops }: Pick<LabelledSources, 'udpDrops'>): void {
  const drops: Counter = new Counter({
    name: 'skein_relay_udp_dropped_total',
    help: 'Datagrams that came faster than they were taken and that the system has thrown away, by port. Linux.',
    labelNames: ['port'],
    registers: [registry],
    collect: () => setCounter(drops, 'port', udpDrops()),
  })
}

function addMail(registry: Registry, { mailKept }: Pick<LabelledSources, 'mailKept'>): void {
  const registers = [registry]
  const bytes: Gauge = new Gauge({ name: 'skein_relay_mail_bytes', help: 'Bytes of mail that lies at the mailbox.', registers })
  const envelopes: Gauge = new Gauge({
    name: 'skein_relay_mail_envelopes',
    help: 'Envelopes that lie at the mailbox.',
    registers,
    collect: async () => {
      const kept = await mailKept()
      envelopes.set(kept.envelopes)
      bytes.set(kept.bytes)
    },
  })
}

function setCounter(counter: Counter, label: string, values: Readonly<Record<string, number>>): void {
  counter.reset()
  for (const [value, count] of Object.entries(values)) counter.inc({ [label]: value }, count)
}

class RelayMetrics implements Metrics {
  readonly #registry: Registry
  readonly #totals = { accepted: 0, refused: {} as Record<string, number> }
  readonly #accepts: Counter
  readonly #disconnects: Counter
  readonly #refused: Counter
  readonly #requests: Counter
  readonly #circuits: Counter
  readonly #closed: Counter
  readonly #duration: Histogram
  readonly #delay: Histogram
  readonly #roundTrip: Histogram
  readonly #http: Counter
  readonly #clock: Counter
  #text: Promise<string> | undefined
  #textAt = 0

  constructor(registry: Registry) {
    this.#registry = registry
    const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
      new Counter({ name: `skein_relay_${name}_total`, help, labelNames, registers: [registry] })
    const histogram = (name: string, help: string, buckets: number[]): Histogram =>
      new Histogram({ name: `skein_relay_${name}_seconds`, help, buckets, registers: [registry] })
    this.#accepts = counter('accepts', 'Connections taken.')
    this.#disconnects = counter('disconnects', 'Connections that have closed.')
    this.#refused = counter('refused_connections', 'Connections that were not taken, by reason.', 'reason')
    this.#requests = counter('requests', 'Requests to reserve or connect, by kind and answer.', 'kind', 'status')
    this.#circuits = counter('circuits', 'Relayed connections that have begun.')
    this.#closed = counter('circuits_closed', 'Relayed connections that have ended, by cause.', 'cause')
    this.#duration = histogram('circuit_duration', 'How long relayed connections lasted.', DURATION_BUCKETS)
    this.#delay = histogram(
      'queue_delay',
      'How long a direction of a circuit was held up by its receiver, a rate, the budget or turns.',
      DELAY_BUCKETS,
    )
    this.#roundTrip = histogram('round_trip', 'How long peers took to answer that had been silent for more than a minute.', DELAY_BUCKETS)
    this.#clock = counter('clock_jumps', 'How often the clock was set by five seconds or more, or the machine has slept.')
    this.#http = counter('http_requests', 'Requests over HTTP, by status.', 'code')
  }

  /** Made once a second at most: it takes a millisecond, and anybody may ask. */
  text(): Promise<string> {
    const now = performance.now()
    if (this.#text === undefined || now - this.#textAt > FRESH_MS) {
      this.#text = this.#registry.metrics()
      this.#textAt = now
    }
    return this.#text
  }

  totals(): ReturnType<Metrics['totals']> {
    return this.#totals
  }

  onJoined = (): void => {
    this.#totals.accepted += 1
    this.#accepts.inc()
  }

  onLeft = (): void => this.#disconnects.inc()

  onRefusedConnection = (reason: Refused): void => {
    this.#totals.refused[reason] = (this.#totals.refused[reason] ?? 0) + 1
    this.#refused.inc({ reason })
  }

  onRequest: RelayRules['onRequest'] = (kind, status) => this.#requests.inc({ kind, status })

  onCircuit = (change: CircuitChange): void => {
    if (change.kind === 'opened') {
      this.#circuits.inc()
      return
    }
    this.#closed.inc({ cause: change.cause })
    this.#duration.observe(change.lastedMs / 1_000)
  }

  onWaited = (ms: number): void => this.#delay.observe(ms / 1_000)

  onClockSet = (): void => this.#clock.inc()

  onRoundTrip = (ms: number): void => this.#roundTrip.observe(ms / 1_000)

  onHttp = (status: number): void => this.#http.inc({ code: String(status) })
}
