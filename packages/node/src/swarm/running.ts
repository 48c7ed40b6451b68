/** Everything that lives between a start and a stop of the swarm. */
import type { Connection, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { DeviceId, OpenOutcome, PeerPath, ProtocolId, RelayStatus } from '@skein/core'
import type { BulkChannels } from '../bulk/index.ts'
import type { Puncher } from '../punch/index.ts'
import { askAdmission } from './admission.ts'
import { Channels } from './channels.ts'
import {
  deviceOf,
  isBetterWay,
  isBusy,
  isRelayedConnection,
  isLeftBehind,
  isSettled,
  isTakenFromHere,
  markDoubted,
  markOpen,
  markPunched,
  mayBeLeftBehind,
  pathOf,
  peerOf,
  portOfWebSocket,
  withDevice,
} from './connections.ts'
import { FORGOTTEN_AFTER_MS, STOP_TIMEOUT_MS } from './constants.ts'
import { Dialler } from './dialling.ts'
import { Disguises } from './disguise.ts'
import { Improver } from './improving.ts'
import { RelayDirectory } from './directory.ts'
import { Mapped } from './mapped.ts'
import { asError } from './framing.ts'
import { LeavingRelays, NOTICE_PROTOCOL } from './leaving-relays.ts'
import { Liveness, type Pingable, pingConnection } from './liveness.ts'
import { hostOf, type MayReach } from './asking.ts'
import { fetchDescription, type RelayDescription, RelayDescriptions } from './relay-description.ts'
import { isBeside, type NetworkChange } from '../platform/network-change.ts'
import { PathProof } from './path-proof.ts'
import { RelaySupervisor } from './relay-supervisor.ts'
import type { RunningDeps } from './running-deps.ts'
import { Reservations } from './reservations.ts'
import type { Stack } from './client-stack.ts'

export class Running {
  readonly stack: Stack
  readonly supervisors: readonly RelaySupervisor[]
  readonly liveness: Liveness
  readonly dialler: Dialler
  readonly channels: Channels
  readonly directory: RelayDirectory
  readonly bulk: BulkChannels | undefined
  readonly mapped: Mapped
  private readonly leaving: LeavingRelays
  private readonly descriptions: RelayDescriptions
  private readonly disguises: Disguises
  private readonly deps: RunningDeps
  private readonly puncher: Puncher | undefined
  readonly improver: Improver
  private readonly proof: PathProof
  private readonly stopping = new AbortController()
  private readonly loops: Promise<void>[] = []
  private pages: Promise<void> | undefined

  constructor(stack: Stack, deps: RunningDeps) {
    this.stack = stack
    this.deps = deps
    this.mapped = new Mapped(stack, { kept: deps.kept, onMapped: (device) => this.improver.learned(device) })
    const { signal: stopping } = this.stopping
    const reservations = new Reservations(stack, deps.clock)
    const { getText, relays: own, logger, judge } = deps
    const loadReach = async (): Promise<MayReach> => (await import('./foreign-relay.ts')).reachOf(own.map(hostOf))
    const descriptions = new RelayDescriptions(deps.clock, { signal: stopping, getText, own, loadReach })
    this.descriptions = descriptions
    this.disguises = new Disguises({ ...deps, stopping, create: () => deps.createDisguise(), onOffence: () => undefined })
    const joinedRelays = (): readonly RelayDescription[] => this.stayingRelays()
    this.liveness = new Liveness({ clock: deps.clock, connections: () => this.pingables(), onAlive: (device) => deps.onAlive(device) })
    this.dialler = new Dialler({
      ...deps,
      stack,
      descriptions,
      reservations,
      joinedRelays,
      stopping,
      onDoubled: deps.onBetterPath,
      onCircuit: (each) => this.expect(each),
    })
    this.puncher = this.createPuncher()
    this.improver = new Improver({
      ...deps,
      stack,
      dialler: this.dialler,
      puncher: this.puncher,
      stopping,
      isKept: (each) => deps.kept.has(each),
    })
    this.proof = new PathProof({ ...deps, stack, stopping, onProven: (device) => this.onProven(device) })
    const onSign = (device: DeviceId, { id }: Connection): void => this.liveness.sign(device, id)
    this.channels = new Channels({
      stack,
      dialler: this.dialler,
      logger,
      stopping,
      onSign,
      isRefused: (each) => deps.isRefused(each),
      onOffence: (each, code) => deps.onOffence(each, code),
    })
    this.leaving = new LeavingRelays({
      ...deps,
      stopping,
      connections: () => stack.getConnections(),
      dialAround: (...args) => this.dialler.dialAround(...args),
      onBetterPath: (device) => deps.onBetterPath(device),
    })
    this.channels.serve(NOTICE_PROTOCOL, (channel) => this.leaving.receive(channel))
    this.bulk = this.createBulk()
    this.bulk?.serve()
    const describe = (url: string): Promise<RelayDescription> => descriptions.get(url)
    this.directory = new RelayDirectory({
      dht: stack.services.dht,
      judge,
      logger,
      stopping,
      joinedRelays,
      describe,
      open: (...args) => this.channels.open(...args),
    })
    const supervised = {
      ...deps,
      stack,
      reservations,
      describe: (url: string, signal: AbortSignal) => this.describeAnew(url, signal),
      admit: (url: string, relay: DeviceId) => this.showToken(url, relay),
      restFor: (relay: DeviceId) => (this.joinedRelays().length > 0 ? this.leaving.restFor(relay) : 0),
      onChange: (status: RelayStatus) => this.onRelay(status),
    }
    this.supervisors = deps.relays.map((url) => new RelaySupervisor(url, supervised))
  }

  /** @throws Error of libp2p when a port cannot be opened */
  async start(): Promise<void> {
    const { stack } = this
    stack.addEventListener('peer:connect', ({ detail }: CustomEvent<PeerId>) =>
      withDevice(detail, (device) => this.deps.onConnected(device)),
    )
    stack.addEventListener('peer:disconnect', ({ detail }: CustomEvent<PeerId>) =>
      withDevice(detail, (device) => this.deps.onDisconnected(device)),
    )
    stack.addEventListener('connection:open', ({ detail }: CustomEvent<Connection>) =>
      withDevice(detail.remotePeer, (device) => this.onOpen(device, detail)),
    )
    stack.addEventListener('connection:close', ({ detail }: CustomEvent<Connection>) =>
      withDevice(detail.remotePeer, (device) => this.onClose(device, detail)),
    )
    await this.puncher?.serve()
    await stack.start()
    this.loops.push(this.liveness.run(this.stopping.signal))
  }

  /** What is known of our own relays is as new as what their supervisors know. */
  private async describeAnew(url: string, signal: AbortSignal): Promise<RelayDescription> {
    const { getText, relayClock } = this.deps
    const description = await fetchDescription(url, { signal, getText, onDate: (date) => relayClock.note(date) })
    this.descriptions.note(url, description)
    return description
  }

  private onRelay(status: RelayStatus): void {
    this.deps.onRelay(status)
    if (status.passable) this.dialler.onRelay()
  }

  private async showToken(url: string, relay: DeviceId): Promise<void> {
    const token = this.deps.relayTokens?.get(url)
    if (token === undefined) return
    const parts = { logger: this.deps.logger, stopping: this.stopping.signal, open: this.channels.open.bind(this.channels) }
    await askAdmission(parts, relay, { request: { kind: 'token', token }, via: url })
  }

  /** As in core's port. */
  async openRelay(
    url: string,
    protocol: ProtocolId,
    { disguise, signal = this.stopping.signal }: { readonly disguise?: string; readonly signal?: AbortSignal },
  ): Promise<OpenOutcome> {
    try {
      const relay = await this.descriptions.get(url)
      if (disguise === undefined) return await this.channels.open(relay.device, protocol, { relays: [url], signal })
      const opened = await this.disguises.open(relay, protocol, { name: `${url} ${disguise}`, signal })
      // It may have come back with other ports.
      if (opened.kind === 'absent') this.descriptions.forget(url)
      return opened
    } catch {
      return { kind: 'absent', reason: 'no-route' }
    }
  }

  /** Begins to keep the relays joined; does not wait for any. */
  joinRelays(): void {
    for (const each of this.supervisors) this.loops.push(each.run(this.stopping.signal))
  }

  /**
   * This machine has moved or slept: connections from an address that is gone end, those that may be alive are asked, and
   * everything that is lost is made again without a wait. What comes and goes beside the way out casts no doubt on what stands.
   */
  move(change: NetworkChange): void {
    const moved = !isBeside(change)
    for (const connection of this.stack.getConnections()) {
      const device = deviceOf(connection.remotePeer)
      const isForgotten = change.sleptMs > FORGOTTEN_AFTER_MS
      if (isForgotten || isLeftBehind(connection, change)) connection.abort(new Error('its address has gone, or the other side has'))
      else if ((moved || mayBeLeftBehind(connection, change)) && device !== undefined) void this.doubt(device, connection)
    }
    // A relay that is away may be found by what has come.
    for (const each of this.supervisors) if (moved || !each.status().connected) each.hurry()
    if (!moved) return
    this.dialler.move()
    this.puncher?.move()
    this.improver.retry()
  }

  /** Ends everything within STOP_TIMEOUT_MS; what libp2p has not ended by then is cut. */
  async stop(): Promise<void> {
    this.stopping.abort()
    const done = Promise.all([Promise.resolve(this.stack.stop()), ...this.loops]).then(() => true)
    done.catch(() => undefined)
    const timer = Promise.withResolvers<boolean>()
    const timeout = setTimeout(() => timer.resolve(false), STOP_TIMEOUT_MS)
    const inTime = await Promise.race([done, timer.promise]).catch(() => false)
    clearTimeout(timeout)
    if (inTime) return
    this.deps.logger.warn('stop-was-forced', {})
    for (const each of this.stack.getConnections()) each.abort(new Error('the swarm has stopped'))
  }

  /** Ends all connections at once, so that the other sides notice: the page goes away and cannot wait. */
  abandon(): void {
    for (const each of this.stack.getConnections()) each.abort(new Error('the page goes away'))
  }

  /** Closes all connections to a device at once. */
  drop(device: DeviceId): void {
    for (const each of this.stack.getConnections(peerOf(device))) each.abort(new Error('dropped for its offences'))
  }

  private onOpen(device: DeviceId, opened: Connection): void {
    markOpen(opened, this.deps.clock)
    if (this.stopping.signal.aborted) return
    const { path, transport } = this.pathOf(device, opened)
    this.deps.logger.debug('connection-open', { device, path, transport, direction: opened.direction })
    const older = this.doubtOthers(device, opened)
    void this.dialler.tidy(device)
    if (isRelayedConnection(opened)) {
      // Whoever dials over a relay has no direct connection any more: traffic does not wait until that is certain here.
      const wasDirect = older.some((each) => !isRelayedConnection(each) && isSettled(each, this.deps.clock))
      if (opened.direction === 'inbound' && wasDirect) this.deps.onBetterPath(device)
      return void this.improver.improve(device)
    }
    if (!older.some((each) => isBetterWay(opened, each))) return void this.improver.settle(device)
    void this.proof.of(device, opened)
  }

  /** A circuit of this device is on its way, from here or to here: what a punch needs first is asked for meanwhile. */
  expect(device: DeviceId): void {
    if (this.deps.kept.has(device)) this.puncher?.tcp.prepare()
  }

  /** Somebody is one of ours from now on: a better way than over a relay is looked for. */
  onKept(device: DeviceId): void {
    const standing = this.dialler.standing(device)
    if (standing !== undefined && isRelayedConnection(standing)) void this.improver.lost(device)
  }

  /** As of the swarm. @throws Error of libp2p when there is no port */
  async listenForPages(): Promise<readonly number[]> {
    const { transportManager } = this.stack.services.transports
    const ports = (): number[] => transportManager.getAddrs().flatMap((each) => portOfWebSocket(each.toString()) ?? [])
    // Not twice when asked twice at once.
    this.pages ??= ports().length > 0 ? Promise.resolve() : transportManager.listen([multiaddr('/ip4/0.0.0.0/tcp/0/ws')])
    await this.pages
    return [...new Set(ports())]
  }

  /** By what way a connection leads to a device. */
  pathOf(device: DeviceId, connection: Connection): PeerPath {
    return pathOf(device, connection, { rttMs: this.liveness.rtt(connection.id), isMapped: this.mapped.leads(connection) })
  }

  /** Of each relay that has any. */
  stunServers(): readonly (readonly string[])[] {
    return this.supervisors.map((each) => each.stunServers()).filter((each) => each.length > 0)
  }

  private createBulk(): BulkChannels | undefined {
    const { stack, channels, deps } = this
    return deps.createBulk?.({
      ...deps,
      handlers: deps.bulkHandlers,
      stopping: this.stopping.signal,
      open: (...args) => channels.open(...args),
      serve: (...args) => channels.serve(...args),
      stack,
      joinedRelays: () => this.joinedRelays(),
    })
  }

  /** Those that go away only where there are no others. */
  private stayingRelays(): readonly RelayDescription[] {
    const joined = this.joinedRelays()
    const staying = joined.filter(({ device }) => !this.leaving.devices.has(device))
    return staying.length > 0 ? staying : joined
  }

  private joinedRelays(): readonly RelayDescription[] {
    return this.supervisors.flatMap((each) => each.description() ?? [])
  }

  private createPuncher(): Puncher | undefined {
    const { upgrader, logger } = this.stack.services.transports
    return this.deps.createPuncher?.({
      ...this.deps,
      host: {
        upgrader,
        log: logger.forComponent('skein:punch'),
        handle: (protocol, handler) => this.stack.handle(protocol, handler, { runOnLimitedConnection: true, force: true }),
      },
      stunServers: () => this.stunServers(),
      reflectors: () => this.supervisors.flatMap((each) => each.reflector() ?? []),
      deviceOf: ({ remotePeer }) => deviceOf(remotePeer),
      mayPunch: (device) => this.deps.kept.has(device),
      onPunched: markPunched,
      onAnswered: (device, by, error) => this.improver.answered(device, by, error),
      onGarbage: () => this.deps.onGarbage?.(),
      onForged: () => this.deps.onForged?.(),
      stopping: this.stopping.signal,
    })
  }

  /** Connections of a device that may be dead: each is asked, and ended if it does not answer soon. */
  doubtAll(device: DeviceId): void {
    for (const each of this.stack.getConnections(peerOf(device))) if (each.status === 'open') void this.doubt(device, each)
  }

  /** Other connections of the device that stand as far as is known; each is asked whether it does. */
  private doubtOthers(device: DeviceId, changed: Connection): readonly Connection[] {
    const others = this.stack.getConnections(peerOf(device)).filter((each) => each !== changed && each.status === 'open')
    for (const each of others) void this.doubt(device, each)
    return others
  }

  /** Until it has answered, other connections go before it. */
  private async doubt(device: DeviceId, connection: Connection): Promise<void> {
    // A young one came of the same dials as the one that casts the doubt; traffic stays on it.
    const isOld = isSettled(connection, this.deps.clock)
    markDoubted(connection, isOld)
    await this.liveness.doubt(this.pingable(device, connection), this.stopping.signal)
    const lesser = this.dialler.standing(device)
    markDoubted(connection, false)
    if (!isOld || connection.status !== 'open' || lesser === undefined || !isBetterWay(connection, lesser)) return
    // What was opened meanwhile took the lesser one.
    if (isTakenFromHere(lesser)) this.deps.onBetterPath(device)
  }

  private onProven(device: DeviceId): void {
    void this.improver.settle(device)
    this.deps.onBetterPath(device)
  }

  private onClose(device: DeviceId, closed: Connection): void {
    if (!this.stopping.signal.aborted) this.doubtOthers(device, closed)
    // After the streams of the connection have said that they are closed.
    setTimeout(() => {
      const standing = this.stopping.signal.aborted ? undefined : this.dialler.standing(device)
      if (standing === undefined) return
      this.stack.services.gossip.revive(standing)
      if (isRelayedConnection(standing)) void this.improver.lost(device)
    }, 0)
  }

  private pingables(): readonly Pingable[] {
    const relays = this.supervisors.flatMap((each) => each.status().device ?? [])
    const wanted = new Set([...this.deps.kept, ...relays])
    return this.stack.getConnections().flatMap((connection) => {
      const device = deviceOf(connection.remotePeer)
      if (device === undefined || connection.status !== 'open' || !wanted.has(device)) return []
      return [this.pingable(device, connection)]
    })
  }

  private pingable(device: DeviceId, connection: Connection): Pingable {
    const abort = (): void => {
      this.deps.logger.info('connection-dead', { device, busy: isBusy(connection) })
      connection.abort(asError('no answer to pings'))
    }
    return { id: connection.id, device, ping: (signal) => pingConnection(connection, signal), abort }
  }
}
