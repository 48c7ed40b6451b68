/** Keeps one relay joined: finds it, connects, reserves a place, and does so again whenever any of that is lost. */
import type { Connection } from '@libp2p/interface'
import type { Clock, DeviceId, Logger, Random, RelayStatus } from '@skein/core'
import { orAborted } from './abandon.ts'
import {
  DIAL_TIMEOUT_MS,
  HANGS_AFTER_MS,
  REJOIN_FIRST_MS,
  REJOIN_MOST_MS,
  REJOIN_SOON_FOR_MS,
  REJOIN_SOON_MS,
  RESERVATION_CHECK_MS,
} from './constants.ts'
import { deviceOf, isRelayedConnection, peerOf } from './connections.ts'
import { dialRelay } from './dial-race.ts'
import type { RelayDescription } from './relay-description.ts'
import type { Reservations } from './reservations.ts'
import type { Stack } from './client-stack.ts'

export interface SupervisorDeps {
  readonly stack: Stack
  readonly reservations: Reservations
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** What a relay says of itself, asked anew. @throws SkeinError RELAY_UNREACHABLE */
  describe(url: string, signal: AbortSignal): Promise<RelayDescription>
  /** Shows the relay what admits us, if we have something to show. Never throws. */
  admit(url: string, relay: DeviceId): Promise<void>
  /** How much longer than usual to wait before a relay is joined again, ms. */
  restFor?(relay: DeviceId): number
  /** The state of the relay has changed. */
  onChange(status: RelayStatus): void
}

/**
 * Wait before try number `attempts` + 1, milliseconds: at random, so that a restarted relay is not overrun. A relay that restarts is
 * back within seconds, and so are we: half of the wait is certain, which asks no more often and misses its return by half as much. One
 * that has been away for longer is not expected from one moment to the next.
 * @param awayMs for how long the relay has been away
 */
export function rejoinDelay({ attempts, awayMs }: { readonly attempts: number; readonly awayMs: number }, random: Random): number {
  const isYoung = awayMs < REJOIN_SOON_FOR_MS
  const bound = Math.min(isYoung ? REJOIN_SOON_MS : REJOIN_MOST_MS, REJOIN_FIRST_MS * 2 ** Math.min(attempts, 20))
  return isYoung ? (bound + random.uniform() * bound) / 2 : random.uniform() * bound
}

/** A try under way. */
interface Try {
  readonly given: AbortController
  readonly since: number
  /** Something has changed since it began: it may hang, and when it fails the next one does not wait. */
  isHurried: boolean
}

export class RelaySupervisor {
  readonly url: string
  private readonly deps: SupervisorDeps
  private joined: RelayDescription | undefined
  /** Where it has answered last. */
  private answeredAt: string | undefined
  /** It takes us for a member, as far as is known. */
  private admitted = false
  private last: RelayStatus
  private wake: () => void = () => undefined
  private resting = new AbortController()
  private trying: Try | undefined

  constructor(url: string, deps: SupervisorDeps) {
    this.url = url
    this.deps = deps
    this.last = { url, device: null, connected: false, reserved: false, passable: false, givesPlaces: true }
  }

  status(): RelayStatus {
    return this.last
  }

  /** The relay as it described itself last, while others can be dialled over it. */
  description(): RelayDescription | undefined {
    return this.last.passable ? this.joined : undefined
  }

  /** STUN servers of this relay; kept while it is away, for it may be only our way to it that broke. */
  stunServers(): readonly string[] {
    return this.joined?.stun ?? []
  }

  /** `host:port` of its TCP reflector, likewise. */
  reflector(): string | null {
    return this.joined?.reflector ?? null
  }

  /**
   * Does not wait any longer: neither for its next try, nor for one that hangs, nor for its next look whether the relay is still there.
   * A try is taken for one that hangs when it is HANGS_AFTER_MS old.
   */
  hurry(): void {
    this.resting.abort()
    this.wake()
    if (this.trying !== undefined) void this.endIfHanging(this.trying)
  }

  private async endIfHanging(trying: Try): Promise<void> {
    const { clock } = this.deps
    trying.isHurried = true
    const left = trying.since + HANGS_AFTER_MS - clock.monotonic()
    if (left > 0) await clock.sleep(left, { signal: trying.given.signal })
    if (this.trying === trying) trying.given.abort(new Error('begun anew'))
  }

  /** Runs until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.deps
    const unlisten = this.listen()
    let since = clock.monotonic()
    for (let attempts = 0; !signal.aborted; attempts += 1) {
      try {
        await this.attempt((limited) => this.join(limited), signal)
        attempts = 0
        since = Number.POSITIVE_INFINITY
        await this.watch(signal)
      } catch (error) {
        logger.debug('relay-join-failed', { url: this.url, attempts, reason: String(error) })
      }
      const isHurried = this.trying?.isHurried === true
      if (isHurried) attempts = -1
      // What is awaited after a change may come as soon as it did at the start.
      since = isHurried ? clock.monotonic() : Math.min(since, clock.monotonic())
      this.trying = undefined
      this.admitted = false
      this.report()
      if (!isHurried) await this.rest({ attempts, awayMs: clock.monotonic() - since }, signal)
    }
    unlisten()
  }

  /** To what may mean that the relay is lost, or the place there. */
  private listen(): () => void {
    const { stack, reservations } = this.deps
    const lookAt = (device: DeviceId | undefined): void => (device === this.last.device ? this.wake() : undefined)
    const onClose = ({ detail }: CustomEvent<Connection>): void => lookAt(deviceOf(detail.remotePeer))
    stack.addEventListener('connection:close', onClose)
    const unlisten = reservations.onLost(lookAt)
    return () => {
      stack.removeEventListener('connection:close', onClose)
      unlisten()
    }
  }

  private async rest(outage: { readonly attempts: number; readonly awayMs: number }, signal: AbortSignal): Promise<void> {
    const { clock, random, restFor } = this.deps
    this.resting = new AbortController()
    const device = this.joined?.device
    const rest = outage.attempts > 0 || device === undefined ? 0 : (restFor?.(device) ?? 0)
    await clock.sleep(rest + rejoinDelay(outage, random), { signal: AbortSignal.any([signal, this.resting.signal]) })
  }

  private async attempt(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const given = new AbortController()
    this.trying = { given, since: this.deps.clock.monotonic(), isHurried: false }
    const limited = AbortSignal.any([signal, given.signal])
    await orAborted(work(limited), limited)
    this.trying = undefined
  }

  private async join(signal: AbortSignal): Promise<void> {
    const { stack, reservations, clock } = this.deps
    // Asked anew each time: a relay may come back with other ports or another key.
    const description = await this.deps.describe(this.url, signal)
    const before = this.joined?.device
    if (before !== undefined && before !== description.device) reservations.discard(before)
    this.joined = description
    const limited = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    const connection = await dialRelay(stack, description, { clock, signal: limited, lately: this.answeredAt })
    this.answeredAt = connection.remoteAddr.toString()
    this.report()
    if (!description.givesPlaces) return
    await this.deps.admit(this.url, description.device)
    this.admitted = true
    this.report()
    await reservations.reserve(description.device, connection.remoteAddr.toString(), signal)
    this.report()
    if (!this.last.reserved) throw new Error('the relay gave no place')
  }

  /** Returns when the relay is lost. */
  private async watch(signal: AbortSignal): Promise<void> {
    const { clock, reservations } = this.deps
    while (!signal.aborted) {
      const looked = new AbortController()
      const changed = new Promise<void>((resolve) => (this.wake = resolve))
      await Promise.race([changed, clock.sleep(RESERVATION_CHECK_MS, { signal: AbortSignal.any([signal, looked.signal]) })])
      looked.abort()
      this.report()
      const { device, connected, reserved } = this.last
      const connection = device === null ? undefined : this.connectionTo(device)
      if (!connected || device === null || connection === undefined) return
      const reserve = (limited: AbortSignal): Promise<void> => reservations.reserve(device, connection.remoteAddr.toString(), limited)
      if ((!reserved || reservations.isDue(device)) && this.joined?.givesPlaces) await this.attempt(reserve, signal)
      this.report()
    }
  }

  private connectionTo(device: DeviceId): Connection | undefined {
    return this.deps.stack.getConnections(peerOf(device)).find((each) => each.status === 'open' && !isRelayedConnection(each))
  }

  private report(): void {
    const device = this.joined?.device ?? null
    const connected = device !== null && this.connectionTo(device) !== undefined
    const givesPlaces = this.joined?.givesPlaces !== false
    const reserved = connected && this.deps.reservations.isReserved(device)
    const passable = connected && givesPlaces && (reserved || this.admitted)
    const { url, last } = this
    if (device === last.device && connected === last.connected && reserved === last.reserved && passable === last.passable) return
    const now = { url, device, connected, reserved, passable, givesPlaces }
    this.last = now
    this.deps.logger.debug('relay-state', { url, connected, reserved, passable })
    this.deps.onChange(now)
  }
}
