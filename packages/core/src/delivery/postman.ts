/** Drives the outbox: opens a link to each device that has mail, retries with backoff, at once when the device appears. */
import type { DeviceId } from '../ids.ts'
import type { Logger } from '../ports/logger.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { OutboxRow, Store } from '../ports/store.ts'
import type { OpenOutcome, Swarm } from '../ports/swarm.ts'
import { type BackoffBounds, backoff } from './backoff.ts'
import { DeliveryLink } from './delivery-link.ts'
import { inBackground } from '../in-background.ts'
import { Turnstile } from './turnstile.ts'

export const DELIVER_PROTOCOL = '/skein/deliver/1'

/** Waits between tries (DL4). Appearance of the device or of a relay cuts any wait short. */
const RETRY: BackoffBounds = { first: 1_000, most: 120_000 }
/** A link that acknowledges nothing for this long is taken for dead (DL6). */
const ACKNOWLEDGE_WITHIN_MS = 20_000
/** After which connections of the device are asked whether they live (DL6): pings alone would tell much later. */
const DOUBT_AFTER_MS = 4_000
const PAGE = 256
/** Devices that are dialled at once; the rest wait their turn (DL15). */
const MAX_OPENING = 32
/** A device that is not reached within this is taken for away (DL11); dialling goes on. */
export const AWAY_AFTER_MS = 2_000

export interface PostmanDeps {
  readonly store: Store
  readonly swarm: Swarm
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Relays where the device may be found; null when nothing may be sent to it. */
  relaysOf(device: DeviceId): readonly string[] | null
  /** Records what was acknowledged; resolves when it is durable. */
  onDelivered(rows: readonly OutboxRow[]): Promise<void>
  /** A device that has mail cannot be reached, or not soon: other carriers may take it. */
  onAway(device: DeviceId): void
}

interface Round {
  link: DeliveryLink | undefined
  /** Ends the wait before the next try. */
  hurry: AbortController
  attempts: number
  /** Wait before the first try, milliseconds: what an earlier run has left of it. */
  delay: number
  running: boolean
  /** Behind this number the store may hold rows that the link was not offered; Infinity when it was offered all. */
  from: number
  isLoading: boolean
  /** When the last acknowledgement came, or the first row was sent that waits for one; monotonic milliseconds. */
  lastProgress: number
}

export class Postman {
  private readonly deps: PostmanDeps
  private readonly rounds = new Map<DeviceId, Round>()
  private readonly stopping = new AbortController()
  private readonly opening = new Turnstile(MAX_OPENING)

  constructor(deps: PostmanDeps) {
    this.deps = deps
  }

  /** Takes up what an earlier run left. */
  async start(): Promise<void> {
    const now = this.deps.clock.now()
    for (const { device, attempts, nextAt } of await this.deps.store.outboxDevices()) {
      // A clock that was set back must not make anybody wait for longer than a wait is.
      this.wake(device, { attempts, delay: Math.min(Math.max(0, nextAt - now), RETRY.most) })
    }
  }

  stop(): void {
    this.stopping.abort()
    for (const round of this.rounds.values()) {
      round.hurry.abort()
      round.link?.close()
    }
  }

  /** A row that has just been committed. */
  post(row: OutboxRow): void {
    const round = this.rounds.get(row.device)
    // Behind what waits in the store: a recipient refuses what is too far ahead of the last that it has.
    const isNext = round?.from === Number.POSITIVE_INFINITY && !round.isLoading
    if (isNext && round.link?.hasRoom) return void this.give(round, round.link, row)
    // It may have been committed after later ones.
    if (round !== undefined) round.from = Math.min(round.from, row.seq - 1)
    this.wake(row.device)
  }

  /** Whether a stream to the device is open now. */
  isLinked(device: DeviceId): boolean {
    return this.rounds.get(device)?.link !== undefined
  }

  /** Tries now if anything is queued for the device. */
  wake(device: DeviceId, { attempts, delay }: { readonly attempts: number; readonly delay: number } = { attempts: 0, delay: 0 }): void {
    if (this.stopping.signal.aborted) return
    const round = this.rounds.get(device)
    if (round?.running) {
      round.hurry.abort()
      return
    }
    const fresh: Round = {
      ...{ link: undefined, hurry: new AbortController(), attempts, delay, running: true },
      ...{ from: 0, isLoading: false, lastProgress: 0 },
    }
    this.rounds.set(device, fresh)
    inBackground(this.deps.logger, 'delivery-round-failed', this.deliverAll(device, fresh))
  }

  /** The link of a device ends, and the next one takes its rows: they have other bytes now, or there is a better path. */
  reload(device: DeviceId): void {
    this.rounds.get(device)?.link?.close()
    this.wake(device)
  }

  /** Wakes every device that has mail: a relay has come (back). */
  wakeAll(): void {
    for (const [device, round] of this.rounds) if (round.running) this.wake(device)
  }

  private async deliverAll(device: DeviceId, round: Round): Promise<void> {
    try {
      if (round.delay > 0) {
        this.deps.onAway(device)
        await this.deps.clock.sleep(round.delay, { signal: round.hurry.signal })
      }
      while (!this.stopping.signal.aborted && (await this.hasMail(device))) {
        // Whoever wakes us during the session spares us the wait behind it.
        round.hurry = new AbortController()
        if (await this.session(device, round).catch((error: unknown) => this.broken(error))) continue
        await this.rest(device, round)
      }
    } catch (error) {
      this.deps.logger.error('delivery-round-failed', { reason: String(error) })
    } finally {
      round.running = false
      this.rounds.delete(device)
    }
    // Mail committed between the last look and the deletion above found no link and a running round.
    if (!this.stopping.signal.aborted && (await this.hasMail(device))) this.wake(device)
  }

  private broken(error: unknown): boolean {
    this.deps.logger.warn('delivery-session-failed', { reason: String(error) })
    return false
  }

  /** Waits before the next try; when that is survives a restart (DL14). */
  private async rest(device: DeviceId, round: Round): Promise<void> {
    const { clock, random } = this.deps
    const wait = backoff(round.attempts, random, RETRY)
    round.attempts += 1
    await this.keepRetry(device, { attempts: round.attempts, nextAt: Math.ceil(clock.now() + wait) })
    await clock.sleep(wait, { signal: round.hurry.signal })
  }

  /** On a full disk it is not kept, and nothing else happens. */
  private async keepRetry(device: DeviceId, retry: { readonly attempts: number; readonly nextAt: number }): Promise<void> {
    await this.deps.store
      .commit([{ kind: 'outbox.retry', device, ...retry }])
      .catch((error: unknown) => this.deps.logger.debug('retry-not-kept', { reason: String(error) }))
  }

  private async hasMail(device: DeviceId): Promise<boolean> {
    if (this.stopping.signal.aborted || this.deps.relaysOf(device) === null) return false
    return (await this.deps.store.outbox(device, 0, 1)).length > 0
  }

  /** One connection's worth of deliveries; true when it made progress. */
  private async session(device: DeviceId, round: Round): Promise<boolean> {
    const opened = await this.openChannel(device)
    if (opened.kind === 'absent') return false
    let progress = false
    const link = new DeliveryLink(opened.channel, {
      onAcknowledged: async (rows) => {
        round.lastProgress = this.deps.clock.monotonic()
        await this.deps.onDelivered(rows)
        // Only now: where nothing can be recorded, the same rows would go over one link after the other without a wait.
        progress = true
        if (round.attempts > 0) void this.keepRetry(device, { attempts: 0, nextAt: 0 })
        round.attempts = 0
      },
      onRoom: () => void this.refill(device, link, round).catch((error: unknown) => this.abandon(link, error)),
      onOffence: (error) => this.offence(device, error),
      onFailure: (error) => this.deps.logger.warn('delivery-not-recorded', { reason: String(error) }),
    })
    round.from = 0
    const watch = new AbortController()
    void this.watch(device, round, { link, signal: watch.signal })
    try {
      round.link = link
      await this.refill(device, link, round)
      await link.run()
    } finally {
      watch.abort()
      link.close()
      round.link = undefined
    }
    return progress
  }

  /** Its rows could not be read: the next link takes them, if the store opens again. */
  private abandon(link: DeliveryLink, error: unknown): void {
    this.deps.logger.warn('outbox-not-read', { reason: String(error) })
    link.close()
  }

  private async openChannel(device: DeviceId): Promise<OpenOutcome> {
    const { swarm, clock, onAway } = this.deps
    const relays = this.deps.relaysOf(device) ?? []
    const decided = new AbortController()
    // While it waits its turn as well: other carriers need not wait with it.
    void clock.sleep(AWAY_AFTER_MS, { signal: decided.signal }).then((late) => late && onAway(device))
    const opened = await this.opening.pass(() => swarm.open(device, DELIVER_PROTOCOL, { relays, signal: this.stopping.signal }))
    decided.abort()
    if (opened.kind === 'absent') onAway(device)
    return opened
  }

  /** Offers what the store holds, oldest first, until that was all or there is no room. */
  private async refill(device: DeviceId, link: DeliveryLink, round: Round): Promise<void> {
    if (round.isLoading) return
    round.isLoading = true
    try {
      while (round.from < Number.POSITIVE_INFINITY && link.hasRoom) await this.loadPage(device, link, round)
    } finally {
      round.isLoading = false
    }
  }

  /** What is posted meanwhile lowers `from` again. */
  private async loadPage(device: DeviceId, link: DeliveryLink, round: Round): Promise<void> {
    const after = round.from
    round.from = Number.POSITIVE_INFINITY
    const rows = await this.deps.store.outbox(device, after, PAGE)
    const last = rows.at(-1)
    if (rows.length === PAGE && last !== undefined) round.from = Math.min(round.from, last.seq)
    for (const row of rows) {
      if (!link.hasRoom) {
        round.from = Math.min(round.from, row.seq - 1)
        return
      }
      // What waits to be encrypted comes with a link of its own.
      if (row.sealed.length > 0) this.give(round, link, row)
    }
  }

  private give(round: Round, link: DeliveryLink, row: OutboxRow): void {
    if (link.isIdle) round.lastProgress = this.deps.clock.monotonic()
    link.post(row)
  }

  /** Doubts, and then closes, a link that has unacknowledged rows and makes no progress. */
  private async watch(
    device: DeviceId,
    round: Round,
    { link, signal }: { readonly link: DeliveryLink; readonly signal: AbortSignal },
  ): Promise<void> {
    const { clock, swarm } = this.deps
    let isDoubted = false
    while (await clock.sleep(DOUBT_AFTER_MS / 2, { signal })) {
      const late = link.isIdle ? 0 : clock.monotonic() - round.lastProgress
      if (late >= ACKNOWLEDGE_WITHIN_MS) link.close()
      else if (late >= DOUBT_AFTER_MS && !isDoubted) swarm.doubt(device)
      isDoubted = late >= DOUBT_AFTER_MS
    }
  }

  private offence(device: DeviceId, error: unknown): void {
    this.deps.logger.warn('bad-deliver-frame', { reason: error instanceof Error ? error.message : 'unknown' })
    this.deps.swarm.penalise(device, 'BAD_FRAME')
  }
}
