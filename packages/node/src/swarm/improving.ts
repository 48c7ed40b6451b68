/** Looks for a direct connection beside a relayed one, on every rung of the ladder at once, until there is one. */
import type { Connection, IdentifyResult } from '@libp2p/interface'
import type { Clock, DeviceId, Logger } from '@skein/core'
import type { Puncher } from '../punch/index.ts'
import { deviceOf, isDoubted, isRelayedConnection, isUnproven, peerOf, transportOf } from './connections.ts'
import {
  DIAL_TIMEOUT_MS,
  HANGS_AFTER_MS,
  IDENTIFY_WITHIN_MS,
  IMPROVE_AFTER_MS,
  PROVEN_LOOKS,
  PROVEN_WITHIN_MS,
  SETTLE_AFTER_MS,
  WEBRTC_AFTER_MS,
} from './constants.ts'
import type { Dialler } from './dialling.ts'
import type { PunchTries, PunchTriesDeps, Trial } from './punch-tries.ts'
import { BEGUN_ANEW, IN_VAIN } from './rungs.ts'
import type { Stack } from './client-stack.ts'

export interface ImproverDeps {
  readonly self: DeviceId
  readonly stack: Stack
  readonly dialler: Dialler
  /** A browser has none. */
  readonly puncher: Puncher | undefined
  readonly createPunchTries?: (deps: PunchTriesDeps) => PunchTries
  readonly clock: Clock
  readonly logger: Logger
  readonly stopping: AbortSignal
  /** Whether it is one of ours: nothing is dialled at a stranger's word (PT5). */
  isKept(device: DeviceId): boolean
}

interface Search {
  tries: number
  /** Ends the wait for the next round. */
  resting: AbortController
  /** Ends the round. */
  round: AbortController
  /** Connections with which the round began. */
  known: ReadonlySet<Connection>
  /** Aborts when the device has come over a relay once more. */
  circuit: AbortController
}

const CANNOT_PUNCH = 'a page cannot punch'
const NO_UDP = 'UDP does not get through here'

export class Improver {
  private readonly deps: ImproverDeps
  private readonly punches: PunchTries | undefined
  private hasUdp = true
  private readonly searches = new Map<DeviceId, Search>()

  constructor(deps: ImproverDeps) {
    const { puncher, createPunchTries } = deps
    this.deps = deps
    const connections = (device: DeviceId): readonly Connection[] => this.connections(device)
    const protocols = (device: DeviceId): Promise<readonly string[]> => this.protocols(device)
    this.punches = puncher && createPunchTries?.({ ...deps, puncher, connections, protocols })
  }

  /**
   * For a device that has just come over a relay, and is about to tell its addresses. Runs until there is a direct connection, or none at
   * all. When it runs already, it begins anew: something has changed. A round that does not know of the circuit by which the device has
   * come now may hang on one that is gone.
   */
  async improve(device: DeviceId): Promise<void> {
    return this.search(device, () => this.identified(device))
  }

  private async search(device: DeviceId, untilIdentified: () => Promise<unknown>): Promise<void> {
    if (!this.deps.isKept(device)) return
    this.deps.puncher?.tcp.prepare()
    const running = this.searches.get(device)
    if (running !== undefined) return this.beginAnewWith(running, this.connections(device))
    const [resting, round, circuit] = [new AbortController(), new AbortController(), new AbortController()]
    const search: Search = { tries: 0, resting, round, known: new Set(), circuit }
    this.searches.set(device, search)
    const identified = untilIdentified()
    while (await this.rest(search)) {
      await this.proven(device)
      const standing = this.deps.dialler.standing(device)
      if (standing === undefined || !isRelayedConnection(standing) || !this.deps.isKept(device)) break
      await this.round(device, search, identified)
    }
    this.searches.delete(device)
  }

  /** Where UDP does not get through, nothing that needs it is tried; where it does after all, it is tried at once. */
  knowUdp(isThrough: boolean, turnsRound: boolean | null = null): void {
    this.deps.puncher?.knowHairpin(turnsRound)
    const isNews = isThrough && !this.hasUdp
    this.hasUdp = isThrough
    if (isNews) for (const each of this.searches.values()) this.beginAnew(each, false)
  }

  /** The network has changed: whoever is reached over a relay may be reached directly now, and what was known of UDP is void. */
  retry(): void {
    this.hasUdp = true
    for (const each of this.searches.values()) this.beginAnew(each)
  }

  /** The device has another address than before: what is under way does not know of it. */
  learned(device: DeviceId): void {
    const search = this.searches.get(device)
    if (search !== undefined) this.beginAnew(search)
  }

  /**
   * A device that has told its addresses long ago is left with a relayed connection: what is under way may hang on the one that has gone,
   * and what that was better than is all that is left.
   */
  async lost(device: DeviceId): Promise<void> {
    const search = this.searches.get(device)
    if (search === undefined) return this.search(device, () => Promise.resolve())
    this.beginAnew(search, false)
    await this.endUnlessAlive(search)
  }

  /** @param endsRound whether what is under way is given up, too */
  private beginAnew(search: Search, endsRound = true): void {
    search.tries = 0
    search.resting.abort()
    if (endsRound) search.round.abort(BEGUN_ANEW)
  }

  /**
   * What is under way goes on while a circuit that it began with lives: it may be about to succeed, and what has closed may have doubled
   * that circuit. They have been asked whether they live (running.ts); one that does not answer soon is not waited for until it has ended.
   */
  private async endUnlessAlive({ round, known }: Search): Promise<void> {
    const { clock, stopping } = this.deps
    const circuits = [...known].filter(isRelayedConnection)
    const lives = (each: Connection): boolean => each.status === 'open'
    if (circuits.some(lives)) await clock.sleep(HANGS_AFTER_MS, { signal: AbortSignal.any([stopping, round.signal]) })
    if (!circuits.some((each) => lives(each) && !isDoubted(each))) round.abort(BEGUN_ANEW)
  }

  /** Both sides may have dialled over relays at the same time, and what is under way be about to succeed. */
  private async beginAnewWith(search: Search, connections: readonly Connection[]): Promise<void> {
    const { known, circuit } = search
    this.beginAnew(search, false)
    if (connections.every((each) => known.has(each))) return
    search.circuit = new AbortController()
    circuit.abort()
    await this.endUnlessAlive(search)
  }

  /** What has just been found is proven within a moment; what is not may carry nothing, and keeps nobody from looking on. */
  private async proven(device: DeviceId): Promise<void> {
    const { clock, stopping } = this.deps
    const isAsked = (): boolean => this.connections(device).some(isUnproven)
    for (let looks = 0; looks < PROVEN_LOOKS && isAsked(); looks += 1) await clock.sleep(PROVEN_WITHIN_MS, { signal: stopping })
  }

  private connections(device: DeviceId): readonly Connection[] {
    return this.deps.stack.getConnections(peerOf(device))
  }

  /** What the device says that it speaks; nothing before it has: until then what is known is what it has used. */
  private async protocols(device: DeviceId): Promise<readonly string[]> {
    const known = await this.deps.stack.peerStore.get(peerOf(device)).catch(() => undefined)
    return known?.metadata.has('AgentVersion') ? known.protocols : []
  }

  /** Resolves `false` when the swarm stops. */
  private async rest(search: Search): Promise<boolean> {
    const { clock, stopping } = this.deps
    search.resting = new AbortController()
    const wait = IMPROVE_AFTER_MS[search.tries] ?? IMPROVE_AFTER_MS.at(-1) ?? 0
    search.tries += 1
    await clock.sleep(wait, { signal: AbortSignal.any([stopping, search.resting.signal]) })
    // The round that comes now is the first one of those that begin anew.
    if (search.resting.signal.aborted) search.tries = 1
    return !stopping.aborted
  }

  /** There is a direct connection: whatever else is under way for the device ends, but not what has just brought it about. */
  async settle(device: DeviceId): Promise<void> {
    const round = this.searches.get(device)?.round
    if (this.hasWebRtc(device)) this.deps.dialler.remember(device, [{ rung: 'webrtc', outcome: 'open', detail: '' }])
    await this.deps.clock.sleep(SETTLE_AFTER_MS, { signal: this.deps.stopping })
    round?.abort()
    this.deps.puncher?.settle(device)
  }

  private async round(device: DeviceId, search: Search, identified: Promise<unknown>): Promise<void> {
    const won = new AbortController()
    search.round = won
    search.known = new Set(this.connections(device))
    const signal = AbortSignal.any([this.deps.stopping, won.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    const over = new AbortController()
    const dialled = over.signal
    const dial = identified.then(() => this.dial(device, signal)).finally(() => over.abort())
    try {
      await Promise.any([
        this.punch(device, 'tcp', { signal, search, dialled }),
        this.punch(device, 'udp', { signal, search, dialled }),
        dial,
      ])
    } catch (error) {
      const reasons = error instanceof AggregateError ? error.errors.map(String) : [String(error)]
      this.deps.logger.debug('stays-relayed', { device, reasons: reasons.join('; ') })
    }
    won.abort()
  }

  private dial(device: DeviceId, signal: AbortSignal): Promise<unknown> {
    const { dialler, clock, puncher } = this.deps
    const webrtc = puncher?.tcp.isUsable() === true ? clock.sleep(WEBRTC_AFTER_MS, { signal }) : undefined
    if (!this.hasUdp) dialler.remember(device, [{ rung: 'webrtc', outcome: 'failed', detail: NO_UDP }])
    return dialler.dialDirect(device, { signal, rungs: this.hasUdp ? ['lan', 'direct', 'webrtc'] : ['lan', 'direct'], webrtc })
  }

  /** How a punch went that the other side has begun. */
  answered(device: DeviceId, by: 'tcp' | 'udp', error?: Error): void {
    this.punches?.answered(device, by, error)
  }

  /** The other side, whose part it is, has tried WebRTC. It gives up what another way, or a later try, was faster than. */
  offerFailed(device: DeviceId): void {
    if (this.connections(device).every(isRelayedConnection))
      this.deps.dialler.remember(device, [{ rung: 'webrtc', outcome: 'failed', detail: IN_VAIN }])
  }

  private hasWebRtc(device: DeviceId): boolean {
    return this.connections(device).some(({ remoteAddr }) => transportOf(remoteAddr.toString()) === 'webrtc')
  }

  private async punch(device: DeviceId, by: 'tcp' | 'udp', trial: Omit<Trial, 'noUdp'>): Promise<void> {
    if (this.punches === undefined) {
      this.deps.dialler.remember(device, [{ rung: `${by}-punch`, outcome: 'failed', detail: CANNOT_PUNCH }])
      throw new Error(CANNOT_PUNCH)
    }
    await this.punches.tried(device, by, { ...trial, noUdp: this.hasUdp ? undefined : NO_UDP })
  }

  /** Resolves when the device has told its addresses on a new connection, or has had time to. */
  private async identified(device: DeviceId): Promise<void> {
    const { stack, clock, stopping } = this.deps
    const done = new AbortController()
    const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
      if (deviceOf(detail.peerId) === device) done.abort()
    }
    stack.addEventListener('peer:identify', onIdentify)
    await clock.sleep(IDENTIFY_WITHIN_MS, { signal: AbortSignal.any([stopping, done.signal]) })
    stack.removeEventListener('peer:identify', onIdentify)
  }
}
