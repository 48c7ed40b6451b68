/** Opens direct TCP connections to devices that are reached over a relay, through NATs and firewalls on both sides. */
import type { Socket } from 'node:net'
import type { Connection, Stream } from '@libp2p/interface'
import type { DeviceId } from '@skein/core'
import { asError } from '../swarm/framing.ts'
import { Allowance } from './allowance.ts'
import {
  ALL_ATTEMPTS_PER_HOST_AND_MINUTE,
  ATTEMPT_ROUND_TRIPS,
  ATTEMPT_TIMEOUT_MS,
  ATTEMPTS_PER_HOST_AND_MINUTE,
  MAX_ROUND_TRIP_MS,
  MESSAGE_TIMEOUT_MS,
  PORT_AGE_MS,
  PUNCHES_PER_MINUTE,
} from './constants.ts'
import { coordinate, type Coordinated, DCUTR_PROTOCOL, follow } from './coordination.ts'
import { isForged } from './forged.ts'
import { type PunchDeps, upgradeSocket } from './host.ts'
import { noHole } from './no-hole.ts'
import { TriedEnough } from './not-now.ts'
import { openPunchPort, type PunchPort } from './punch-port.ts'
import { endOf, type Session, Sessions } from './sessions.ts'
import { openTogether } from './simultaneous-open.ts'
import { addressOf, type Endpoint, isPublic, targetsOf } from './targets.ts'

const MINUTE_MS = 60_000

/** A port that waits to be used. */
interface Ready {
  readonly at: number
  /** Who was asked where it is seen. */
  readonly asked: string
  readonly port: Promise<PunchPort>
}

interface Dialled {
  readonly port: PunchPort
  readonly targets: readonly Endpoint[]
  /** Between the two sides, ms. */
  readonly roundTrip: number
  readonly signal: AbortSignal
}

export class TcpPuncher {
  private readonly deps: PunchDeps
  private readonly sessions: Sessions
  private readonly punches: Allowance
  private readonly hosts: Allowance
  private readonly hostsForAll: Allowance
  private ready: Ready | undefined

  constructor(deps: PunchDeps) {
    this.deps = deps
    this.sessions = new Sessions(deps.self)
    this.punches = new Allowance(deps.clock, { most: PUNCHES_PER_MINUTE, withinMs: MINUTE_MS })
    this.hosts = new Allowance(deps.clock, { most: ATTEMPTS_PER_HOST_AND_MINUTE, withinMs: MINUTE_MS })
    this.hostsForAll = new Allowance(deps.clock, { most: ALL_ATTEMPTS_PER_HOST_AND_MINUTE, withinMs: MINUTE_MS })
  }

  /** Without a reflector others cannot be told where to dial. */
  isUsable(): boolean {
    return this.deps.reflectors().length > 0
  }

  /** Answers the other side from now on. */
  async serve(): Promise<void> {
    const { host, deviceOf, mayPunch } = this.deps
    await host.handle(DCUTR_PROTOCOL, (stream, connection) => {
      const device = deviceOf(connection)
      if (device === undefined || !mayPunch(device)) return stream.abort(new Error('not for this device'))
      return this.answer(stream, device)
    })
  }

  /** Asks the reflectors ahead of time, so that the answer is there when it is needed. */
  prepare(): void {
    const { clock, stopping } = this.deps
    const reflectors = this.deps.reflectors()
    const asked = reflectors.join(' ')
    if (this.ready?.asked === asked && clock.monotonic() - this.ready.at < PORT_AGE_MS) return
    this.dropReady()
    const ready: Ready = { at: clock.monotonic(), asked, port: openPunchPort(reflectors, { ...this.deps, signal: stopping }) }
    this.ready = ready
    const drop = (): void => (this.ready === ready ? this.dropReady() : undefined)
    ready.port.then(
      // Nobody has seen it; another time somebody may.
      ({ seenAs }) => (seenAs.length === 0 ? drop() : undefined),
      () => undefined,
    )
    void clock.sleep(PORT_AGE_MS, { signal: stopping }).then(drop)
  }

  /** This machine has moved: where the port was seen, nobody finds it any more. */
  move(): void {
    this.dropReady()
    this.sessions.abandon()
  }

  /**
   * Begins a coordination on a connection over a relay by which the other side has reached us.
   * @throws Error when no connection has come of it, with the reason
   */
  async punch(relayed: Connection, device: DeviceId, signal: AbortSignal): Promise<void> {
    const session = this.sessions.begin(device, 'server')
    const limited = AbortSignal.any([signal, session.given.signal, this.deps.stopping])
    try {
      if (!this.punches.take(device)) throw new TriedEnough()
      const stream = await relayed.newStream(DCUTR_PROTOCOL, {
        signal: AbortSignal.any([limited, AbortSignal.timeout(MESSAGE_TIMEOUT_MS)]),
        runOnLimitedConnection: true,
      })
      await this.run(coordinate, stream, { session, signal: limited })
    } catch (error) {
      throw endOf(session, error)
    } finally {
      this.sessions.end(session)
    }
  }

  /** The device is reached directly: whatever is under way for it ends. */
  settle(device: DeviceId): void {
    this.sessions.settle(device)
  }

  private async answer(stream: Stream, device: DeviceId): Promise<void> {
    const session = this.sessions.answer(device, 'client')
    if (session === undefined) return stream.abort(new Error('a punch is under way'))
    const { stopping, logger, onAnswered } = this.deps
    const signal = AbortSignal.any([session.given.signal, stopping])
    try {
      if (!this.punches.take(device)) throw new TriedEnough()
      await this.run(follow, stream, { session, signal })
      onAnswered(device, 'tcp')
    } catch (error) {
      logger.debug('punch-failed', { device, reason: String(error) })
      stream.abort(asError(error))
      onAnswered(device, 'tcp', endOf(session, error))
    } finally {
      this.sessions.end(session)
    }
  }

  private async run(
    coordination: (stream: Stream, coordinated: Coordinated) => Promise<boolean>,
    stream: Stream,
    { session, signal }: { readonly session: Session; readonly signal: AbortSignal },
  ): Promise<void> {
    let port: PunchPort | undefined
    let theirs: readonly Endpoint[] = []
    try {
      const taken = await this.take()
      port = taken
      const done = await coordination(stream, {
        clock: this.deps.clock,
        signal,
        requireRoom: (addresses) => this.requireRoom(session.device, addresses),
        seenAs: async () => taken.seenAs.map((each) => addressOf(each).bytes),
        dial: (addresses, roundTrip) => {
          theirs = this.targets(session.device, addresses)
          const limited = Math.min(Math.round(roundTrip), MAX_ROUND_TRIP_MS)
          return this.dial(session, { port: taken, signal, targets: theirs, roundTrip: limited })
        },
      })
      await stream.close({ signal: AbortSignal.timeout(MESSAGE_TIMEOUT_MS) }).catch(() => undefined)
      const hosts = (endpoints: readonly Endpoint[]): readonly string[] => endpoints.map(({ host }) => host)
      if (!done) throw noHole({ turnsRound: this.deps.turnsRound?.() ?? null, own: hosts(taken.seenAs), theirs: hosts(theirs) })
    } catch (error) {
      if (isForged(error)) this.deps.onForged()
      stream.abort(asError(error))
      throw error
    } finally {
      port?.release()
    }
  }

  /** @throws TriedEnough when the other side is somewhere, and has been dialled there often enough: it is told before it dials alone */
  private requireRoom(device: DeviceId, addresses: readonly Uint8Array[]): void {
    const targets = this.named(addresses)
    const hasRoom = ({ host }: Endpoint): boolean => this.hosts.has(`${device} ${host}`) && this.hostsForAll.has(host)
    if (targets.length > 0 && !targets.some(hasRoom)) throw new TriedEnough()
  }

  /** Where the other side says that it is, as far as that may be tried. One contact does not use up what another may have. */
  private targets(device: DeviceId, addresses: readonly Uint8Array[]): readonly Endpoint[] {
    const targets = this.named(addresses)
    const mayDial = (host: string): boolean => this.hosts.take(`${device} ${host}`) && this.hostsForAll.take(host)
    const hosts = new Set([...new Set(targets.map(({ host }) => host))].filter(mayDial))
    return targets.filter(({ host }) => hosts.has(host))
  }

  private named(addresses: readonly Uint8Array[]): readonly Endpoint[] {
    return targetsOf(addresses, this.deps.mayDial ?? isPublic)
  }

  /** A port of one's own: it cannot be used twice. */
  private async take(): Promise<PunchPort> {
    this.prepare()
    const port = this.ready?.port
    this.ready = undefined
    if (port === undefined) throw new Error('no port')
    return port
  }

  private dropReady(): void {
    this.ready?.port.then((each) => each.release()).catch(() => undefined)
    this.ready = undefined
  }

  /** The client upgrades one socket after the other, the server all that open, for it cannot know which one is used. */
  private async dial(session: Session, { port, targets, roundTrip, signal }: Dialled): Promise<boolean> {
    const found = new AbortController()
    const limited = AbortSignal.any([
      signal,
      found.signal,
      AbortSignal.timeout(Math.max(ATTEMPT_TIMEOUT_MS, ATTEMPT_ROUND_TRIPS * roundTrip)),
    ])
    const upgrades: Promise<boolean>[] = []
    const upgrade = async (socket: Socket, target: Endpoint): Promise<boolean> => {
      const before = session.role === 'client' && (await Promise.all(upgrades)).includes(true)
      if (before) socket.destroy()
      const done = !socket.destroyed && (await upgradeSocket(socket, addressOf(target), session, this.deps))
      if (done) found.abort()
      return done
    }
    const onOpen = (socket: Socket, target: Endpoint): void => void upgrades.push(upgrade(socket, target))
    await (this.deps.open ?? openTogether)(targets, { localPort: port.port, clock: this.deps.clock, roundTrip, signal: limited }, onOpen)
    return (await Promise.all(upgrades)).includes(true)
  }
}
