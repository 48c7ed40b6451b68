/** Finds a connection to a device: one that stands, a direct dial, or circuits over relays; whichever is first. */
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock, DeviceId, Logger } from '@skein/core'
import { isBusy, isNear, isPunched, isRelayedConnection, peerOf, pickConnection, surplusConnections } from './connections.ts'
import {
  BUSY_GRACES,
  BUSY_GRACES_AT_MOST,
  DIAL_TIMEOUT_MS,
  DIRECT_HEAD_START_MS,
  DUPLICATE_GRACE_MS,
  GREET_TIMEOUT_MS,
} from './constants.ts'
import { untilAborted } from './abandon.ts'
import { dialRelay, orOpened } from './dial-race.ts'
import { asError } from './framing.ts'
import type { RelayDescription, RelayDescriptions } from './relay-description.ts'
import type { Reservations } from './reservations.ts'
import { dialRungs, isLearnt, isTried, type Rung, rungOf, type RungReport } from './rungs.ts'
import type { Stack } from './client-stack.ts'

/** Devices whose last tries are remembered, for `why`. */
const MAX_REPORTS = 1_024
/** Addresses at which one device is greeted at the same time: cable and Wi-Fi, IPv4 and IPv6. */
const MAX_APPROACHES = 4

export interface DiallerDeps {
  readonly self: DeviceId
  readonly stack: Stack
  readonly clock: Clock
  readonly logger: Logger
  readonly descriptions: RelayDescriptions
  readonly reservations: Reservations
  /** Relays that are joined: others are likely to be found there too. */
  joinedRelays(): readonly RelayDescription[]
  readonly stopping: AbortSignal
  /** Two connections to a device are both in use; what is opened anew uses the one that stays. */
  onDoubled(device: DeviceId): void
  /** A device is dialled over relays. */
  onCircuit(device: DeviceId): void
}

export interface DirectTry {
  readonly signal: AbortSignal
  readonly rungs: readonly Rung[]
  /** When WebRTC has its turn. */
  readonly webrtc?: Promise<unknown> | undefined
}

/** What a dial that runs may still learn. */
interface DialNews {
  /** URLs of relays where the device may be found. */
  readonly relays: Set<string>
  /** Aborts when there is another relay to try. */
  news: AbortController
}

interface Dial extends DialNews {
  readonly connection: Promise<Connection>
}

export class Dialler {
  private readonly deps: DiallerDeps
  private readonly dials = new Map<DeviceId, Dial>()
  private readonly tidying = new Set<DeviceId>()
  private readonly lastReports = new Map<DeviceId, readonly RungReport[]>()
  /** Addresses that are dialled because somebody has just been found there. */
  private readonly approaching = new Map<DeviceId, readonly string[]>()

  constructor(deps: DiallerDeps) {
    this.deps = deps
  }

  /** The best connection that stands. */
  standing(device: DeviceId): Connection | undefined {
    return pickConnection(this.deps.stack.getConnections(peerOf(device)), this.deps.self)
  }

  /** A standing connection or a new one; concurrent calls share one dial. @throws Error when there is no way */
  async connect(device: DeviceId, relays: readonly string[]): Promise<Connection> {
    const standing = this.standing(device)
    if (standing !== undefined) return standing
    const running = this.dials.get(device)
    if (running !== undefined) {
      const more = relays.filter((each) => !running.relays.has(each))
      for (const each of more) running.relays.add(each)
      if (more.length > 0) running.news.abort()
      return running.connection
    }
    const news = { relays: new Set(relays), news: new AbortController() }
    const dial: Dial = Object.assign(news, { connection: this.dial(device, news).finally(() => this.dials.delete(device)) })
    this.dials.set(device, dial)
    return dial.connection
  }

  /** A relay is joined: whoever was not reached over relays may be reached now. */
  onRelay(): void {
    for (const { news } of this.dials.values()) news.abort()
  }

  /** A circuit over a joined relay that is none of these, beside whatever stands. @throws AggregateError when there is none */
  async dialAround(device: DeviceId, without: ReadonlySet<DeviceId>): Promise<Connection> {
    const signal = AbortSignal.any([this.deps.stopping, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    const others = this.deps.joinedRelays().filter((each) => !without.has(each.device))
    return Promise.any(others.map((each) => this.dialCircuit(device, each, signal)))
  }

  /** Closes connections that double another, once both sides know of both. */
  async tidy(device: DeviceId): Promise<void> {
    const { stack, self, clock, reservations, stopping } = this.deps
    const connections = (): Connection[] => stack.getConnections(peerOf(device))
    if (this.tidying.has(device)) return
    this.tidying.add(device)
    for (let graces = 1; !isSettled(connections()) && (await clock.sleep(DUPLICATE_GRACE_MS, { signal: stopping })); graces += 1) {
      // A reservation hangs on one particular connection to its relay.
      if (reservations.isReserved(device)) break
      const doubling = surplusConnections(connections(), self)
      if (graces === BUSY_GRACES && doubling.some(isBusy)) this.deps.onDoubled(device)
      const surplus = doubling.filter((each) => graces >= BUSY_GRACES_AT_MOST || !isBusy(each))
      await Promise.all(surplus.map((each) => each.close().catch((error: unknown) => each.abort(asError(error)))))
    }
    this.tidying.delete(device)
  }

  /** Connects directly to a device that has just been found at these addresses, unless it is reached as well already. */
  async approach(device: DeviceId, found: readonly string[]): Promise<void> {
    const { stack, self, stopping, logger } = this.deps
    const standing = this.standing(device)
    const wanted = standing === undefined || isRelayedConnection(standing) ? found : isLocal(standing) ? [] : found.filter(isNear)
    const under = this.approaching.get(device) ?? []
    // One address that answers nothing keeps nobody from the others.
    const addresses = wanted.filter((each) => !under.includes(each)).slice(0, MAX_APPROACHES - under.length)
    if (addresses.length === 0) return
    this.approaching.set(device, [...under, ...addresses])
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(GREET_TIMEOUT_MS)])
    const rungs = [...new Set(addresses.map(rungOf))]
    await dialRungs(stack, { self, device, addresses, rungs, signal }, (reports) => this.remember(device, reports)).catch(
      (error: unknown) => logger.debug('not-approached', { device, reason: String(error) }),
    )
    const left = (this.approaching.get(device) ?? []).filter((each) => !addresses.includes(each))
    if (left.length === 0) this.approaching.delete(device)
    else this.approaching.set(device, left)
  }

  private async dial(device: DeviceId, news: DialNews): Promise<Connection> {
    const { clock, stopping } = this.deps
    const won = new AbortController()
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    // WebRTC needs a circuit first; it has its turn beside that (improving.ts).
    const direct = this.dialDirect(device, { signal, rungs: ['lan', 'direct'] })
    const failed = new AbortController()
    direct.catch(() => failed.abort())
    const circuits = clock
      .sleep(DIRECT_HEAD_START_MS, { signal: AbortSignal.any([won.signal, failed.signal, stopping]) })
      .then(() => this.findCircuit(device, { news, failed: failed.signal, signal: AbortSignal.any([signal, won.signal]) }))
    try {
      const look = (): Connection | undefined => this.standing(device)
      return await orOpened(this.deps.stack, device, { clock, dial: Promise.any([direct, circuits]), look })
    } finally {
      won.abort()
    }
  }

  /** Again whenever there is another relay to try, as long as the direct dial has not failed: it may hang for long. */
  private async findCircuit(
    device: DeviceId,
    { news, failed, signal }: { readonly news: DialNews; readonly failed: AbortSignal; readonly signal: AbortSignal },
  ): Promise<Connection> {
    for (;;) {
      news.news = new AbortController()
      try {
        return await this.dialCircuits(device, { relays: [...news.relays], signal })
      } catch (error) {
        await untilAborted(AbortSignal.any([signal, failed, news.news.signal]))
        if (signal.aborted || !news.news.signal.aborted) throw error
      }
    }
  }

  /** How the last direct tries went; empty when there were none. */
  reports(device: DeviceId): readonly RungReport[] {
    return this.lastReports.get(device) ?? []
  }

  /** Dials where the device is known to listen. @throws Error when that leads nowhere */
  async dialDirect(device: DeviceId, { signal, rungs, webrtc }: DirectTry): Promise<Connection> {
    const { stack, self } = this.deps
    const known = await stack.peerStore.get(peerOf(device), { signal }).catch(() => undefined)
    // Whoever gives up has learnt nothing of what is known.
    signal.throwIfAborted()
    const addresses = (known?.addresses ?? []).map((each) => each.multiaddr.toString())
    return dialRungs(stack, { self, device, addresses, rungs, signal, webrtc }, (reports) => this.remember(device, reports))
  }

  /**
   * Takes note of how rungs went; what is known of others stays. A local address that somebody was found at and could not be dialled is
   * not forgotten because the device does not announce it.
   */
  remember(device: DeviceId, news: readonly RungReport[]): void {
    const known = this.reports(device)
    const isGreeted = known.some(({ rung, outcome }) => rung === 'lan' && outcome === 'failed')
    const isKnown = ({ rung }: RungReport): boolean => known.some((each) => each.rung === rung && each.outcome === 'failed')
    const reports = news
      .filter(({ rung, outcome }) => !(isGreeted && rung === 'lan' && outcome === 'no-address'))
      .filter((each) => isTried(each) || !isKnown(each))
      .filter(({ rung, outcome }) => !(outcome === 'other-side' && known.some((each) => each.rung === rung && isLearnt(each))))
    const others = known.filter(({ rung }) => !reports.some((each) => each.rung === rung))
    this.lastReports.delete(device)
    const oldest = this.lastReports.keys().next().value
    if (this.lastReports.size >= MAX_REPORTS && oldest !== undefined) this.lastReports.delete(oldest)
    this.lastReports.set(device, [...others, ...reports])
  }

  /** This machine is in another network: how it went in the one before says nothing. */
  move(): void {
    this.lastReports.clear()
  }

  private async dialCircuits(
    device: DeviceId,
    { relays, signal }: { readonly relays: readonly string[]; readonly signal: AbortSignal },
  ): Promise<Connection> {
    signal.throwIfAborted()
    this.deps.onCircuit(device)
    const joined = this.deps.joinedRelays()
    const own = joined.map((each) => this.dialCircuit(device, each, signal))
    const theirs = relays.map(async (url) => {
      const relay = await this.deps.descriptions.get(url)
      if (joined.some((each) => each.device === relay.device)) throw new Error('dialled already')
      return this.dialCircuit(device, relay, signal).catch((error: unknown) => {
        // It may have moved since it was asked.
        this.deps.descriptions.forget(url)
        throw error
      })
    })
    return Promise.any([...own, ...theirs])
  }

  /** Past the dial queue, which would make this wait for a direct dial that hangs. */
  private async dialCircuit(device: DeviceId, relay: RelayDescription, signal: AbortSignal): Promise<Connection> {
    const { stack, clock } = this.deps
    const hop = await dialRelay(stack, relay, { clock, signal })
    if (relay.device === device) return hop
    const circuit = multiaddr(`${hop.remoteAddr.toString()}/p2p-circuit/p2p/${device}`)
    // Without it the transport would dial the relay by itself, one address after the other.
    const lost = new AbortController()
    const onClose = (): void => lost.abort(new Error('the relay has gone'))
    hop.addEventListener('close', onClose)
    if (hop.status !== 'open') onClose()
    try {
      return await stack.services.transports.transportManager.dial(circuit, { signal: AbortSignal.any([signal, lost.signal]) })
    } finally {
      hop.removeEventListener('close', onClose)
    }
  }
}

/** Nothing is better than the local network. */
function isLocal(connection: Connection): boolean {
  return isNear(connection.remoteAddr.toString()) && !isPunched(connection)
}

/** At most one direct and one relayed connection: nothing doubles. */
function isSettled(connections: readonly Connection[]): boolean {
  const relayed = connections.filter(isRelayedConnection).length
  return relayed <= 1 && connections.length - relayed <= 1
}

/** Why a dial or a stream failed, in the terms of the port. */
export function reasonOf(error: unknown): 'no-route' | 'refused' | 'timed-out' {
  const errors = error instanceof AggregateError ? error.errors : [error]
  const names = errors.map((each) => (each instanceof Error ? each.name : ''))
  if (names.some((name) => /Unsupported|Denied|LimitedConnection/.test(name))) return 'refused'
  return names.some((name) => /Timeout|Abort/.test(name)) ? 'timed-out' : 'no-route'
}

/** The connection closed under the call; another try may find or make a better one. */
export function isClosing(error: unknown): boolean {
  return error instanceof Error && /ConnectionClosed|MuxerClosed|StreamState|StreamReset|MuxerUnavailable/.test(error.name)
}
