/** What the operator decides and sees: settings, admission, budget and figures, joined to the relay's rules. */
import { decodeAdmissionRequest, encodeAdmissionReply, type Logger, MAX_ADMISSION_BYTES } from '@skein/core'
import type { Caller, RelayStack } from '@skein/node/swarm'
import { Membership } from './admission/membership.ts'
import { OperatorRules, type Refused } from './admission/operator-rules.ts'
import { DiskTroubles } from './disk-troubles.ts'
import { Descriptors } from './descriptors.ts'
import { HttpGate, type HttpGateParts } from './http-gate.ts'
import { LoopDelay } from './loop-delay.ts'
import { createMetrics, type Metrics, type LabelledSources, type MetricSources } from './metrics.ts'
import { type Refusal, Refusals } from './refusals.ts'
import type { RelayStore } from './relay-store.ts'
import { SettledTime } from './settled-time.ts'
import { loadSettings, type Settings } from './settings.ts'
import { troubleOf } from './sweeping.ts'
import { Budget, type BudgetReport, type BudgetState } from './traffic/budget.ts'
import { readInterfaces } from './traffic/interfaces.ts'
import { Meter, type PeerTraffic } from './traffic/meter.ts'
import { Rates, SAMPLE_EVERY_MS } from './traffic/rates.ts'

/** Between two looks at the month's traffic, ms: what may pass beyond the budget before it is stopped. */
const LOOK_EVERY_MS = 2_000
/** Peers shown as the heaviest users. */
const HEAVIEST = 10
/** Between two lines in the log that the budget cannot be written down, ms. */
const NOT_KEPT_EVERY_MS = 60_000
/** By how much a clock has to be set to be told of, ms: less is what time services do all the time. */
const CLOCK_JUMP_MS = 5_000
/** For which the figures of everybody are good, ms: anybody may ask for them. */
const FRESH_MS = 1_000

export type StackFigures = Pick<
  MetricSources,
  | 'connections'
  | 'peers'
  | 'reservations'
  | 'circuits'
  | 'oldestHold'
  | 'dhtPeers'
  | 'dhtRecords'
  | 'gossipMessages'
  | 'mailStreams'
  | 'mailTags'
  | 'mailHeldBytes'
  | 'cards'
  | 'stunRequests'
  | 'stunRefused'
  | 'certificateExpires'
  | 'status'
> &
  Pick<LabelledSources, 'mailKept' | 'places' | 'udpDrops'>

export interface OperatorOptions {
  readonly dataDir: string
  readonly store: RelayStore
  readonly logger: Logger
  readonly figures: StackFigures
  /** Whether a web server on this machine passes requests on. */
  readonly behindProxy: boolean
}

export interface OperatorStatus {
  readonly mode: Settings['mode']
  readonly uptime_s: number
  readonly connections: number
  /** At the HTTP and HTTPS ports, WebSockets among them. */
  readonly http_connections: number
  readonly reservations: number
  readonly circuits: number
  readonly members: number
  readonly accepted: number
  readonly refused: Readonly<Record<string, number>>
  /** What the services have refused at their limits. */
  readonly refusals: readonly Refusal[]
  /** Of those, and of connections, the ones of the last ten minutes. */
  readonly recent_refusals: readonly Refusal[]
  /** Settings that have made somebody wait in the last minute. */
  readonly slowed_by: readonly string[]
  readonly relayed_bytes: Readonly<Record<string, number>>
  readonly carried_bytes: Readonly<Record<string, number>>
  readonly kilobits_per_s: Readonly<Record<string, number>>
  readonly budget: BudgetReport
  /** 99th percentile of the worst 2 s of the last minute, ms: why it may be slow. */
  readonly event_loop_p99_ms: number
  readonly rss_mb: number
  readonly limits: Settings['limits']
}

export class Operator implements Disposable {
  readonly membership: Membership
  readonly rules: OperatorRules
  readonly metrics: Metrics
  readonly descriptors = new Descriptors()
  readonly time = new SettledTime({ now: Date.now, monotonic: () => performance.now() })
  /** What the services refuse at their limits. */
  readonly refusals: Refusals
  readonly disk: DiskTroubles
  /** What one address may have over HTTP. */
  readonly http: HttpGate
  readonly #options: OperatorOptions
  readonly #meter = new Meter()
  readonly #rates = new Rates()
  readonly #budget: Budget
  readonly #delay = new LoopDelay()
  readonly #timers: NodeJS.Timeout[] = []
  #settings: Settings
  #report: BudgetReport
  #stack: RelayStack | undefined
  #notKeptAt = Number.NEGATIVE_INFINITY
  #shown: { readonly at: number; readonly status: OperatorStatus } | undefined

  /** @throws SkeinError CONFIG_INVALID */
  constructor(options: OperatorOptions) {
    this.#options = options
    this.#settings = loadSettings(options.dataDir)
    this.membership = new Membership(options.store.database, Date.now)
    const first = { now: Date.now(), counted: this.#counted(), settings: this.#settings.budget }
    this.#budget = new Budget(options.store.entries, first)
    this.#report = this.#budget.report(this.#settings.budget)
    this.refusals = new Refusals(options.logger)
    const onTrouble = (service: string, reason: string): void => this.refusals.count(service, reason)
    this.disk = new DiskTroubles({ onTrouble, now: () => performance.now() })
    this.metrics = createMetrics(this.#sources())
    this.http = new HttpGate(this.#httpParts())
    const events = { ...this.metrics, ...this.#events() }
    const { membership, descriptors } = this
    const parts = { membership, descriptors, meter: this.#meter, events, now: () => performance.now() }
    this.rules = new OperatorRules(this.#settings, parts)
    this.rules.budget = this.#report.state
  }

  /** Serves admission and begins to look after the budget. */
  async attach(stack: RelayStack): Promise<void> {
    this.#stack = stack
    // Everything that the relay itself needs is open now.
    this.descriptors.look()
    this.#delay.start()
    this.#timers.push(setInterval(() => this.#look(), LOOK_EVERY_MS).unref())
    this.#timers.push(setInterval(() => this.#rates.sample(performance.now(), this.#carried()), SAMPLE_EVERY_MS).unref())
    this.#rates.sample(performance.now(), 0)
    await stack.serve('/skein/admission/1', (from, frame) => this.#admit(from, frame), {
      service: 'admission',
      maxRequestBytes: MAX_ADMISSION_BYTES,
    })
  }

  /** @throws Error for whoever asks too often, SkeinError BAD_FRAME */
  #admit(from: Caller, frame: Uint8Array): Uint8Array {
    if (!this.rules.mayAsk('admission', from)) throw new Error('too many requests')
    return this.disk.watch('admission', () => encodeAdmissionReply(this.rules.admit(from.peer, decodeAdmissionRequest(frame))))
  }

  /** Reads the settings again. @throws SkeinError CONFIG_INVALID; then nothing has changed */
  reload(): Settings {
    this.#settings = loadSettings(this.#options.dataDir)
    this.rules.apply(this.#settings)
    // Who belonged here under the settings before would keep place and circuits for a week, and learns of it by coming again.
    for (const peer of this.#stack?.holders() ?? []) if (!this.rules.isAdmitted(peer)) void this.#stack?.disconnect(peer)
    this.#stack?.review((peer, isLimited) => this.rules.mayGoOn(peer, isLimited))
    this.#stack?.wake()
    this.#look()
    this.#options.logger.info('settings-loaded', { mode: this.#settings.mode })
    return this.#settings
  }

  settings(): Settings {
    return this.#settings
  }

  status(): OperatorStatus {
    const { figures } = this.#options
    return {
      mode: this.#settings.mode,
      uptime_s: Math.round(process.uptime()),
      connections: figures.connections(),
      http_connections: this.http.connections,
      reservations: figures.reservations(),
      circuits: figures.circuits(),
      members: this.membership.memberCount(),
      ...this.metrics.totals(),
      refusals: this.refusals.totals(),
      recent_refusals: this.refusals.recent(),
      slowed_by: this.rules.slowedBy(),
      relayed_bytes: this.#meter.classes,
      carried_bytes: this.#meter.carried,
      kilobits_per_s: this.#rates.kilobits(),
      budget: this.#report,
      event_loop_p99_ms: this.#delay.worst(),
      rss_mb: Math.round(process.memoryUsage.rss() / 1_048_576),
      limits: this.#settings.limits,
    }
  }

  /** As `status`, made once a second at most. */
  shownStatus(): OperatorStatus {
    const now = performance.now()
    if (this.#shown === undefined || now - this.#shown.at > FRESH_MS) this.#shown = { at: now, status: this.status() }
    return this.#shown.status
  }

  /** Who used most, for the operator alone: exact figures beside a member's own lead from a name to a person. */
  heaviest(): readonly PeerTraffic[] {
    return this.#meter.heaviest(HEAVIEST)
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    this.#delay.stop()
    this.refusals[Symbol.dispose]()
    this.#look()
    try {
      this.#budget.close(Date.now(), this.#settings.budget)
    } catch (error) {
      this.#options.logger.warn('budget-not-kept', troubleOf(error))
    }
  }

  #look(): void {
    this.#delay.look()
    this.descriptors.look()
    this.#lookAtClock()
    const before = this.#report.state
    try {
      this.#report = this.#budget.look(Date.now(), this.#counted(), this.#settings.budget)
    } catch (error) {
      // A full disk keeps the figure from being kept, not from being known.
      this.#onNotKept(error)
      this.#report = this.#budget.report(this.#settings.budget)
    }
    this.rules.budget = this.#report.state
    if (this.#report.state !== before) this.#onBudget(this.#report.state)
    // Each time: what had been allowed before may have begun since.
    if (this.#report.state === 'stopped') this.#stack?.endCircuits()
  }

  /** A machine that has slept shows as one whose clock was set. */
  #lookAtClock(): void {
    const ms = this.time.look()
    if (Math.abs(ms) < CLOCK_JUMP_MS) return
    this.metrics.onClockSet()
    this.#options.logger.warn('clock-jumped', { seconds: Math.round(ms / 1_000), meaning: 'the clock was set, or the machine has slept' })
  }

  /** Tried every two seconds, and told once a minute. */
  #onNotKept(error: unknown): void {
    this.disk.note('budget', error)
    const now = performance.now()
    if (now - this.#notKeptAt < NOT_KEPT_EVERY_MS) return
    this.#notKeptAt = now
    this.#options.logger.warn('budget-not-kept', troubleOf(error))
  }

  #onBudget(state: BudgetState): void {
    const { used_bytes, limit_bytes } = this.#report
    this.#options.logger.warn('budget', { state, used_bytes, limit_bytes })
    // What was to wait for the month's rest need not in a new one.
    this.#stack?.wake()
  }

  #carried(): number {
    return this.#meter.carried.in + this.#meter.carried.out
  }

  #counted() {
    // WebRTC carries no bytes that the transports could count, only circuits do; each byte of them comes in and goes out.
    const { chat, bulk } = this.#meter.classes
    return { interfaces: readInterfaces(), relay: Math.max(this.#carried(), 2 * (chat + bulk)) }
  }

  #events() {
    const { metrics, refusals } = this
    return {
      onRefused: (service: string, reason: string) => refusals.count(service, reason),
      onRefusedConnection: (why: Refused) => {
        metrics.onRefusedConnection(why)
        refusals.count('connection', why)
      },
    }
  }

  #httpParts(): HttpGateParts {
    return {
      limits: () => this.#settings.limits,
      budget: () => ({ state: this.#report.state, slowBytesPerSecond: this.#settings.budget.slowBytesPerSecond }),
      onRefused: (reason) => this.refusals.count('http', reason),
      onBytes: (bytes) => this.#meter.onBytes('out', bytes),
      now: () => performance.now(),
      behindProxy: this.#options.behindProxy,
      descriptors: this.descriptors,
    }
  }

  #sources() {
    const { figures } = this.#options
    return {
      ...figures,
      clientsToday: () => this.rules.clients.count(),
      httpConnections: () => this.http.connections,
      members: () => this.membership.memberCount(),
      budgetUsedBytes: () => this.#report.used_bytes,
      budgetLimitBytes: () => this.#report.limit_bytes,
      budgetState: () => this.#report.state,
      refusals: () => this.refusals.totals(),
      relayedBytes: () => ({ ...this.#meter.classes }),
      relayedPieces: () => ({ ...this.#meter.pieces }),
      held: () => this.#meter.held,
      carriedBytes: () => ({ ...this.#meter.carried }),
      limits: () => this.#settings.limits,
    }
  }
}
