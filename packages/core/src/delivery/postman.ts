/** Drives the outbox: opens a link to each device that has mail, retries with backoff, at once when the device appears. */
import type { DeviceId } from '../ids.ts'
import type { Logger } from '../ports/logger.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { OutboxRow, Store } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import { type BackoffBounds, backoff } from './backoff.ts'
import { DeliveryLink } from './delivery-link.ts'

export const DELIVER_PROTOCOL = '/skein/deliver/1'

/** Waits between tries (DL4). Appearance of the device or of a relay cuts any wait short. */
const RETRY: BackoffBounds = { first: 1_000, most: 120_000 }
/** A link that acknowledges nothing for this long is taken for dead (DL6). */
const ACKNOWLEDGE_WITHIN_MS = 20_000
const PAGE = 256

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
}

interface Round {
  link: DeliveryLink | undefined
  /** Ends the wait before the next try. */
  hurry: AbortController
  attempts: number
  running: boolean
  /** When the last acknowledgement came, or the link opened; monotonic milliseconds. */
  lastProgress: number
}

export class Postman {
  private readonly deps: PostmanDeps
  private readonly rounds = new Map<DeviceId, Round>()
  private readonly stopping = new AbortController()

  constructor(deps: PostmanDeps) {
    this.deps = deps
  }

  /** Takes up what an earlier run left. */
  async start(): Promise<void> {
    for (const { device } of await this.deps.store.outboxDevices()) this.wake(device)
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
    const link = this.rounds.get(row.device)?.link
    if (link?.hasRoom) link.post(row)
    else this.wake(row.device)
  }

  /** Tries now if anything is queued for the device. */
  wake(device: DeviceId): void {
    if (this.stopping.signal.aborted) return
    const round = this.rounds.get(device)
    if (round?.running) {
      round.hurry.abort()
      return
    }
    const fresh: Round = { link: undefined, hurry: new AbortController(), attempts: 0, running: true, lastProgress: 0 }
    this.rounds.set(device, fresh)
    void this.deliverAll(device, fresh)
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
      while (!this.stopping.signal.aborted && (await this.hasMail(device))) {
        // Whoever wakes us during the session spares us the wait behind it.
        round.hurry = new AbortController()
        if (await this.session(device, round)) continue
        await this.deps.clock.sleep(backoff(round.attempts, this.deps.random, RETRY), { signal: round.hurry.signal })
        round.attempts += 1
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

  private async hasMail(device: DeviceId): Promise<boolean> {
    if (this.stopping.signal.aborted || this.deps.relaysOf(device) === null) return false
    return (await this.deps.store.outbox(device, Number.POSITIVE_INFINITY, 1)).length > 0
  }

  /** One connection's worth of deliveries; true when it made progress. */
  private async session(device: DeviceId, round: Round): Promise<boolean> {
    const relays = this.deps.relaysOf(device) ?? []
    const opened = await this.deps.swarm.open(device, DELIVER_PROTOCOL, { relays, signal: this.stopping.signal })
    if (opened.kind === 'absent') return false
    let progress = false
    const link = new DeliveryLink(opened.channel, {
      onAcknowledged: async (rows) => {
        progress = true
        round.lastProgress = this.deps.clock.monotonic()
        round.attempts = 0
        await this.deps.onDelivered(rows)
      },
      onDrained: () => void this.refill(device, link),
      onOffence: (error) => this.offence(device, error),
    })
    const watch = new AbortController()
    round.lastProgress = this.deps.clock.monotonic()
    void this.watch(round, link, watch.signal)
    await this.refill(device, link)
    // Only after the older rows: what is posted from now on comes behind them.
    round.link = link
    await link.run()
    watch.abort()
    round.link = undefined
    return progress
  }

  /** Takes what the store holds, oldest first. */
  private async refill(device: DeviceId, link: DeliveryLink): Promise<void> {
    for (const row of await this.deps.store.outbox(device, Number.POSITIVE_INFINITY, PAGE)) link.post(row)
  }

  /** Closes a link that has unacknowledged rows and makes no progress. */
  private async watch(round: Round, link: DeliveryLink, signal: AbortSignal): Promise<void> {
    while (await this.deps.clock.sleep(ACKNOWLEDGE_WITHIN_MS / 2, { signal })) {
      const idle = this.deps.clock.monotonic() - round.lastProgress
      if (link.isIdle) round.lastProgress = this.deps.clock.monotonic()
      else if (idle >= ACKNOWLEDGE_WITHIN_MS) link.close()
    }
  }

  private offence(device: DeviceId, error: unknown): void {
    this.deps.logger.warn('bad-deliver-frame', { reason: error instanceof Error ? error.message : 'unknown' })
    this.deps.swarm.penalise(device, 'BAD_FRAME')
  }
}
