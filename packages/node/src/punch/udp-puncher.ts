/** Opens direct UDP paths to devices that are reached over a relay, and runs a reliable stream over them. */
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { DeviceId } from '@skein/core'
import {
  AFTER_TCP_MS,
  BROKEN_PUNCH_PAUSE_MS,
  LEFT_ALONE_MS,
  LONGEST_UDP_PUNCH_PAUSE_MS,
  MESSAGE_TIMEOUT_MS,
  MOST_ANSWERED_UDP_PUNCHES,
  MOST_UDP_PUNCHES,
  PROBE_FOR_MS,
  SAY_NO_WITHIN_MS,
  SEQUENTIAL_ROUND_MS,
  SEQUENTIAL_ROUNDS,
  UDP_PUNCHES_PER_HOST_AND_MINUTE,
  UDP_PUNCH_PAUSE_MS,
} from './constants.ts'
import { Allowance } from './allowance.ts'
import { BrokenOff, CannotPunch, isBrokenOff, isTimeout, RefusedThere } from './broken-off.ts'
import { isForged } from './forged.ts'
import { type PunchDeps, upgradeSocket } from './host.ts'
import { HostCharges } from './host-charges.ts'
import { asError } from '../swarm/framing.ts'
import { noHole } from './no-hole.ts'
import { NotNow, TriedEnough } from './not-now.ts'
import { endOf, type Role, type Session, Sessions } from './sessions.ts'
import { agree, type Agreement, consent, type UdpCoordinated, type UdpMessages, udpMessagesOn, sayNo } from './udp-coordination.ts'
import { findPath, isExpected, type UdpPath } from './udp-path.ts'
import { planPunch, type PunchPlan } from './udp-plan.ts'
import { UdpSight } from './udp-sight.ts'
import { type PunchSocket, UdxSockets } from './udx.ts'

export const PUNCH_PROTOCOL = '/skein/punch/1'

const NONCE_BYTES = 16

interface Round {
  readonly messages: UdpMessages
  readonly session: Session
  readonly signal: AbortSignal
  /** Aborts when the other side has left, and what it has found is not to be expected any more. */
  readonly left: AbortSignal
  readonly charges: HostCharges
}

/** By which both sides agree. */
interface Way {
  readonly stream: Stream
  readonly connection: Connection
}

interface Pause {
  /** Before which instant nothing is tried again, by the monotonic clock. */
  readonly until: number
  /** How long it is. */
  readonly ms: number
}

export class UdpPuncher {
  private readonly deps: PunchDeps
  private readonly sessions: Sessions
  private readonly hosts: Allowance
  private readonly sight: UdpSight
  /** Devices whose last punches failed, or which have broken off what they had asked for. */
  private readonly pauses = new Map<DeviceId, Pause>()
  private udx: Promise<UdxSockets> | undefined

  constructor(deps: PunchDeps) {
    this.deps = deps
    this.sessions = new Sessions(deps.self)
    this.sight = new UdpSight(deps)
    this.hosts = new Allowance(deps.clock, { most: UDP_PUNCHES_PER_HOST_AND_MINUTE, withinMs: 60_000 })
  }

  /** Answers the other side from now on. */
  async serve(): Promise<void> {
    const { host, deviceOf, mayPunch } = this.deps
    await host.handle(PUNCH_PROTOCOL, async (stream, connection) => {
      const device = deviceOf(connection)
      if (device === undefined || !mayPunch(device)) return stream.abort(new Error('not for this device'))
      const hasPlace = !this.isPaused(device) && this.hasPlace('client')
      const session = hasPlace ? this.sessions.answer(device, 'client') : undefined
      if (session === undefined) return this.refuse(stream, new CannotPunch('busy', 'not now'))
      await this.answer({ stream, connection }, session)
    })
  }

  private async answer(way: Way, session: Session): Promise<void> {
    const { onAnswered, logger } = this.deps
    const { device } = session
    try {
      await this.run(way, session, consent)
      onAnswered(device, 'udp')
    } catch (error) {
      logger.debug('udp-punch-failed', { device, reason: String(error) })
      onAnswered(device, 'udp', endOf(session, error))
    }
  }

  /**
   * Begins on a connection over a relay by which the other side has reached us.
   * @throws Error when no connection has come of it, with the reason; NotNow when it was not begun
   */
  async punch(relayed: Connection, device: DeviceId, signal: AbortSignal): Promise<void> {
    if (this.isPaused(device)) throw new NotNow('tried not long ago')
    if (!this.hasPlace('server')) throw new NotNow('too many punches over UDP at once')
    const session = this.sessions.begin(device, 'server')
    signal.addEventListener('abort', () => session.given.abort(signal.reason), { once: true })
    try {
      await this.load()
      const limited = AbortSignal.any([session.given.signal, AbortSignal.timeout(MESSAGE_TIMEOUT_MS)])
      const stream = await relayed.newStream(PUNCH_PROTOCOL, { signal: limited, runOnLimitedConnection: true })
      await this.run({ stream, connection: relayed }, session, agree)
    } catch (error) {
      throw endOf(session, error)
    } finally {
      this.sessions.end(session)
    }
  }

  /** In place of a punch: the other side, which waits for it, learns that UDP does not get through here. */
  async decline(relayed: Connection, signal: AbortSignal): Promise<void> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(MESSAGE_TIMEOUT_MS)])
    const stream = await relayed.newStream(PUNCH_PROTOCOL, { signal: limited, runOnLimitedConnection: true })
    await this.refuse(stream, new CannotPunch('no-udp', 'UDP does not get through here'))
  }

  /** This machine has moved: what has failed in another network may succeed in this one. */
  move(): void {
    this.pauses.clear()
    this.sight.move()
    this.sessions.abandon()
  }

  settle(device: DeviceId): void {
    this.sessions.settle(device)
  }

  private isPaused(device: DeviceId): boolean {
    const now = this.deps.clock.monotonic()
    // A pause counts for the length of the next one for as long again, and short ones for as long as the ordinary one.
    for (const [each, { until, ms }] of this.pauses) if (until + Math.max(ms, UDP_PUNCH_PAUSE_MS) <= now) this.pauses.delete(each)
    return (this.pauses.get(device)?.until ?? 0) > now
  }

  /**
   * One that broke off says nothing of whether the next one will: a circuit has gone, or both sides began at once. Only whoever asks
   * again and again for what it breaks off is made to wait; and who asks and then says nothing, as after one that failed.
   */
  private pause({ device, role }: Session, error: unknown): void {
    if (error instanceof NotNow) return
    // Who says that it cannot at the moment may be able to after its next move.
    const isDeclined = role === 'client' && error instanceof RefusedThere
    const broken = isDeclined || (isBrokenOff(error) && !(role === 'client' && isTimeout(error)))
    if (broken && role === 'server') return
    const least = broken ? BROKEN_PUNCH_PAUSE_MS : UDP_PUNCH_PAUSE_MS
    const ms = Math.min(Math.max(2 * (this.pauses.get(device)?.ms ?? 0), least), LONGEST_UDP_PUNCH_PAUSE_MS)
    this.pauses.set(device, { until: this.deps.clock.monotonic() + ms, ms })
  }

  private hasPlace(role: Role): boolean {
    return this.sessions.size < MOST_UDP_PUNCHES && (role === 'server' || this.sessions.count('client') < MOST_ANSWERED_UDP_PUNCHES)
  }

  private async run(
    { stream, connection }: Way,
    session: Session,
    coordination: (messages: UdpMessages, self: UdpCoordinated) => Promise<Agreement>,
  ): Promise<void> {
    const signal = AbortSignal.any([session.given.signal, this.deps.stopping])
    try {
      const left = this.leftAlone({ stream, connection })
      const round = { messages: udpMessagesOn(stream, signal), session, signal, left, charges: new HostCharges(this.hosts) }
      for (let rounds = 1; !(await this.round(round, coordination)); rounds += 1) {
        if (rounds >= SEQUENTIAL_ROUNDS || signal.aborted) throw new Error('no hole was found')
      }
      this.pauses.delete(session.device)
      stream.abort(new Error('the punch is over'))
    } catch (error) {
      if (isForged(error)) this.deps.onForged()
      if (!signal.aborted) this.pause(session, error)
      void this.refuse(stream, error)
      throw error
    } finally {
      this.sessions.end(session)
    }
  }

  /** The other side is told of a cause that it cannot see, if it still listens. */
  private async refuse(stream: Stream, error: unknown): Promise<void> {
    const cause = error instanceof TriedEnough ? 'busy' : error instanceof CannotPunch ? error.refusal : undefined
    const isSaid = cause !== undefined && (await sayNo(stream, cause).catch(() => false))
    // It reads what was said, and closes its end.
    if (isSaid) await this.deps.clock.sleep(SAY_NO_WITHIN_MS, { signal: closed(stream) })
    stream.abort(asError(error))
  }

  /** `true` when a connection has come of it, `false` when another round may help. @throws Error when none can */
  private async round(
    { messages, session, signal, left, charges }: Round,
    coordination: (messages: UdpMessages, self: UdpCoordinated) => Promise<Agreement>,
  ): Promise<boolean> {
    const udx = await this.load()
    const main = udx.open()
    const sockets: PunchSocket[] = [main]
    const unheard = main.listen((bytes) => isExpected(bytes) || this.deps.onGarbage())
    let path: UdpPath | undefined
    try {
      const agreement = await coordination(messages, this.coordinated(main, { signal, charges }))
      unheard()
      const { mine, theirs } = agreement
      const plan = planPunch(mine, theirs, this.seed())
      if (plan === undefined) throw new Error('the ports of the other side would have to be guessed')
      if (mine.mapping === 'same' && theirs.mapping === 'same') await this.deps.clock.sleep(AFTER_TCP_MS, { signal })
      while (sockets.length < plan.sockets) sockets.push(udx.open())
      path = await this.search(agreement, { plan, sockets, session, signal: AbortSignal.any([signal, left]) })
      if (path !== undefined && (await this.connect(udx, path, agreement, session))) return true
      if (left.aborted) throw new BrokenOff('the other side has given it up')
      // Another round costs the other side's host as many packets again.
      if (!plan.isRepeated) throw noHole({ turnsRound: this.deps.turnsRound?.() ?? null, own: [mine.host], theirs: [theirs.host] })
      return false
    } finally {
      path?.stop()
      for (const each of sockets) if (each !== path?.socket) each.close()
    }
  }

  /**
   * The other side has left because it has found what is about to be found here, or has given up: a search goes on for a moment. When the
   * circuit beneath has gone, the other side may be searching as before.
   */
  private leftAlone({ stream, connection }: Way): AbortSignal {
    const left = new AbortController()
    const onClose = (): void => {
      if (connection.status !== 'open') return
      void this.deps.clock.sleep(LEFT_ALONE_MS, { signal: this.deps.stopping }).then(() => left.abort())
    }
    stream.addEventListener('close', onClose, { once: true })
    return left.signal
  }

  private search(
    { mine, theirs }: Agreement,
    { plan, sockets, session, signal }: { plan: PunchPlan; sockets: readonly PunchSocket[]; session: Session; signal: AbortSignal },
  ): Promise<UdpPath | undefined> {
    const within = plan.isRepeated ? SEQUENTIAL_ROUND_MS : PROBE_FOR_MS
    return findPath({
      plan,
      sockets,
      host: theirs.host,
      ownNonce: mine.nonce,
      theirNonce: theirs.nonce,
      // Whoever decides is ready last, and speaks first.
      decides: session.role === 'client',
      clock: this.deps.clock,
      signal: AbortSignal.any([signal, AbortSignal.timeout(within)]),
      onGarbage: this.deps.onGarbage,
    })
  }

  private connect(udx: UdxSockets, { socket, to }: UdpPath, { mine, theirs }: Agreement, session: Session): Promise<boolean> {
    const stream = udx.stream(socket, { own: streamId(mine.nonce), theirs: streamId(theirs.nonce), to })
    return upgradeSocket(stream, multiaddr(`/ip4/${to.host}/udp/${to.port}`), session, this.deps)
  }

  private coordinated(main: PunchSocket, { signal, charges }: Pick<Round, 'signal' | 'charges'>): UdpCoordinated {
    const nonce = this.deps.random.bytes(NONCE_BYTES)
    return {
      nonce,
      requireRoom: (offer) => charges.requireRoom(offer),
      charge: (agreement) => charges.charge(agreement),
      stun: this.sight.servers(),
      signal,
      sample: (stun, theirNonce) => this.sight.sample(main, { stun, theirNonce, signal }),
      isProven: (offer) => this.sight.isProven(main, offer, { nonce, signal }),
    }
  }

  private load(): Promise<UdxSockets> {
    this.udx ??= UdxSockets.load().catch(() => {
      throw new CannotPunch('no-udp', 'this platform has no sockets for it')
    })
    return this.udx
  }

  private seed(): number {
    return Buffer.from(this.deps.random.bytes(4)).readUInt32BE()
  }
}

/** Both sides know both nonces, so that streams need no handshake to find each other. */
function streamId(nonce: Uint8Array): number {
  return Buffer.from(nonce).readUInt32BE()
}

function closed(stream: Stream): AbortSignal {
  const gone = new AbortController()
  stream.addEventListener('close', () => gone.abort(), { once: true })
  if (stream.status !== 'open' && stream.status !== 'closing') gone.abort()
  return gone.signal
}
