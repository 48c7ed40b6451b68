/** Core's Swarm and Directory on libp2p. */
import type { Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import {
  deviceIdFromKey,
  type DeviceId,
  type Directory,
  type OpenOutcome,
  type PeerPath,
  type ProtocolId,
  type RelayStatus,
  SkeinError,
  type Swarm,
  type SwarmEvents,
} from '@skein/core'
import type { PeerId, Stream } from '@libp2p/interface'
import type { BulkHandler, BulkOutcome, BulkWish } from '../bulk/index.ts'
import type { ChannelHandler, OpenOptions } from './channels.ts'
import { deviceOf, isPunched, peerOf, transportOf } from './connections.ts'
import { GREET_TIMEOUT_MS } from './constants.ts'
import type { TopicReceiver } from './gossip.ts'
import type { OutsideAddress } from './mapped.ts'
import { Penalties } from './penalties.ts'
import type { NetworkChange } from '../platform/network-change.ts'
import { RelayClock } from './relay-clock.ts'
import { Running } from './running.ts'
import type { SwarmOptions, SwarmPlatform } from './swarm-options.ts'
import type { RungReport } from './rungs.ts'

export type { SwarmOptions, SwarmPlatform } from './swarm-options.ts'

export class Libp2pSwarm implements Swarm, Directory {
  readonly self: DeviceId
  private readonly options: SwarmOptions
  private readonly platform: SwarmPlatform
  private readonly penalties = new Penalties()
  private readonly listeners = new Set<Partial<SwarmEvents>>()
  private readonly handlers = new Map<ProtocolId, ChannelHandler>()
  private readonly bulkHandlers = new Map<string, BulkHandler>()
  private readonly streamHandlers = new Map<ProtocolId, (stream: Stream, device: DeviceId) => void>()
  private readonly topics = new Map<string, TopicReceiver>()
  private readonly kept = new Set<DeviceId>()
  private readonly relayClock: RelayClock
  private running: Running | undefined
  /** Starts and stops, one after the other. */
  private turns: Promise<void> = Promise.resolve()

  /** Not started; nothing is opened yet. */
  constructor(options: SwarmOptions, platform: SwarmPlatform) {
    this.options = options
    this.platform = platform
    this.relayClock = new RelayClock(options.clock)
    this.self = deviceIdFromKey(platform.primitives.ed25519PublicKey(options.privateKeySeed))
  }

  /** Listens and begins to join the relays, present or not. Idempotent. @throws SkeinError PORT_IN_USE */
  start(): Promise<void> {
    return this.turn(() => this.startNow())
  }

  /** Leaves nothing running, within 3 s. Idempotent. */
  stop(): Promise<void> {
    return this.turn(async () => {
      const { running } = this
      this.running = undefined
      await running?.stop()
    })
  }

  async open(device: DeviceId, protocol: ProtocolId, options: OpenOptions = {}): Promise<OpenOutcome> {
    return this.running?.channels.open(device, protocol, options) ?? { kind: 'absent', reason: 'stopped' }
  }

  async openRelay(
    url: string,
    protocol: ProtocolId,
    options: { readonly disguise?: string; readonly signal?: AbortSignal } = {},
  ): Promise<OpenOutcome> {
    return this.running?.openRelay(url, protocol, options) ?? { kind: 'absent', reason: 'stopped' }
  }

  /** Survives a stop and a start. */
  handle(protocol: ProtocolId, handler: ChannelHandler): () => void {
    this.handlers.set(protocol, handler)
    this.running?.channels.serve(protocol, handler)
    return () => {
      if (this.handlers.get(protocol) !== handler) return
      this.handlers.delete(protocol)
      this.running?.channels.unserve(protocol)
    }
  }

  /**
   * Opens a raw connection for frames that are sealed already, for a purpose that the other side handles. Where there is
   * none, bulk goes over a channel.
   */
  async openBulk(device: DeviceId, purpose: string, options: BulkWish = {}): Promise<BulkOutcome> {
    if (this.running === undefined) return { kind: 'absent', reason: 'stopped' }
    return this.running.bulk?.open(device, purpose, options) ?? { kind: 'absent', reason: 'no-route' }
  }

  /** Takes raw connections for a purpose, one handler each; survives a stop and a start. */
  handleBulk(purpose: string, handler: BulkHandler): () => void {
    this.bulkHandlers.set(purpose, handler)
    return () => {
      if (this.bulkHandlers.get(purpose) === handler) this.bulkHandlers.delete(purpose)
    }
  }

  /** A stream of libp2p on the connection that stands; `undefined` where there is none, or the other side does not take it. */
  async openStream(device: DeviceId, protocol: ProtocolId, { signal }: { readonly signal: AbortSignal }): Promise<Stream | undefined> {
    return this.running?.channels.openStream(device, protocol, signal)
  }

  /** Takes streams of libp2p, one handler for each protocol; survives a stop and a start. */
  handleStreams(protocol: ProtocolId, take: (stream: Stream, device: DeviceId) => void): () => void {
    this.streamHandlers.set(protocol, take)
    this.running?.channels.serveStreams(protocol, take)
    return () => {
      if (this.streamHandlers.delete(protocol)) this.running?.channels.unserve(protocol)
    }
  }

  listen(events: Partial<SwarmEvents>): () => void {
    this.listeners.add(events)
    return () => this.listeners.delete(events)
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    await this.running?.stack.services.gossip.publish(topic, { bytes, logger: this.options.logger })
  }

  /** One receiver each; survives a stop and a start. */
  subscribe(topic: string, receive: TopicReceiver): () => void {
    this.topics.set(topic, receive)
    this.running?.stack.services.gossip.subscribe(topic, { receive, logger: this.options.logger })
    return () => {
      if (this.topics.get(topic) !== receive) return
      this.topics.delete(topic)
      this.running?.stack.services.gossip.unsubscribe(topic)
    }
  }

  isConnected(device: DeviceId): boolean {
    return this.running?.dialler.standing(device) !== undefined
  }

  /** Open connections to a device; for diagnosis. */
  connectionCount(device: DeviceId): number {
    return this.running?.stack.getConnections(peerOf(device)).filter(({ status }) => status === 'open').length ?? 0
  }

  keep(device: DeviceId, wanted: boolean): void {
    const isNew = wanted && !this.kept.has(device)
    if (wanted) this.kept.add(device)
    else this.kept.delete(device)
    if (isNew) this.running?.onKept(device)
  }

  penalise(device: DeviceId, code: string): void {
    this.options.logger.debug('offence', { device, code })
    if (!this.penalties.offend(device, this.options.clock.monotonic())) return
    this.options.logger.warn('peer-dropped', { device, code })
    this.running?.drop(device)
  }

  paths(): readonly PeerPath[] {
    const { running } = this
    const peers = running?.stack.getPeers() ?? []
    return peers.flatMap((peer) => {
      const device = deviceOf(peer)
      const connection = device === undefined ? undefined : running?.dialler.standing(device)
      return device === undefined || running === undefined || connection === undefined ? [] : [running.pathOf(device, connection)]
    })
  }

  /** How the last tries of a direct connection went, best rung first; empty when there were none. */
  rungs(device: DeviceId): readonly RungReport[] {
    return this.running?.dialler.reports(device) ?? []
  }

  relays(): readonly RelayStatus[] {
    const away = (url: string): RelayStatus => ({
      url,
      device: null,
      connected: false,
      reserved: false,
      passable: false,
      givesPlaces: true,
    })
    return this.running?.supervisors.map((each) => each.status()) ?? this.options.relays.map(away)
  }

  /** By how much this device's clock is ahead of its relays', ms; `null` while none has said. */
  clockAheadMs(): number | null {
    return this.relayClock.aheadMs()
  }

  /** The network may be back: nothing waits for its next try. */
  hurry(): void {
    for (const each of this.running?.supervisors ?? []) each.hurry()
  }

  /** STUN servers of the relays, `stun:host:port`; those of one relay together. */
  stunServers(): readonly (readonly string[])[] {
    return this.running?.stunServers() ?? []
  }

  /** Whether UDP gets through, for the choice of ways, and whether the NAT turns packets round, for what is said of them. */
  knowUdp(isThrough: boolean, turnsRound: boolean | null): void {
    this.running?.improver.knowUdp(isThrough, turnsRound)
  }

  /** A router has opened a port for this machine; nothing: there is none any more. */
  async announceMapping(outside: OutsideAddress | undefined): Promise<void> {
    await this.running?.mapped.announce(outside)
  }

  /** Listens for WebSockets as well, for pages that this machine serves. Idempotent. @returns the ports, none when stopped */
  async listenForPages(): Promise<readonly number[]> {
    return this.running?.listenForPages() ?? []
  }

  /** This machine has other addresses than before. */
  move(change: NetworkChange): void {
    this.running?.move(change)
  }

  /** Ends all connections without waiting; they are made again if the swarm goes on. */
  abandon(): void {
    this.running?.abandon()
  }

  addresses(): readonly string[] {
    return this.running?.stack.getMultiaddrs().map(String) ?? []
  }

  /** What the sockets listen on, as multiaddrs; unlike `addresses`, loopback stands among them, link-local ones do not. */
  listening(): readonly string[] {
    return this.running?.stack.services.transports.transportManager.getAddrs().map(String) ?? []
  }

  /** Connects directly to a device that says it is there, e.g. on the LAN, unless that is how it is reached already. */
  async approach(device: DeviceId, addresses: readonly string[]): Promise<void> {
    await this.running?.dialler.approach(device, addresses)
  }

  doubt(device: DeviceId): void {
    this.running?.doubtAll(device)
  }

  /** Connects to whoever is at an address, a stranger on the LAN perhaps. @returns who it is; `undefined` if nobody of ours answers */
  async greet(address: string): Promise<DeviceId | undefined> {
    const signal = AbortSignal.timeout(GREET_TIMEOUT_MS)
    const connection = await this.running?.stack.dial(multiaddr(address), { signal }).catch(() => undefined)
    return connection === undefined ? undefined : deviceOf(connection.remotePeer)
  }

  /** Remembers where a device was seen, e.g. on the LAN, for the next dial. */
  async learn(device: DeviceId, addresses: readonly string[]): Promise<void> {
    await this.running?.stack.peerStore.merge(peerOf(device), { multiaddrs: addresses.map((each) => multiaddr(each)) })
  }

  /** Where the device was dialled with success: of connections over TCP and WebSocket that stand, without any relay. */
  dialledAddresses(device: DeviceId): readonly string[] {
    const connections = this.running?.stack.getConnections(peerOf(device)) ?? []
    const dialled = connections.filter((each) => each.direction === 'outbound' && each.status === 'open' && !isPunched(each))
    return dialled.map(({ remoteAddr }) => remoteAddr.toString()).filter((each) => /^(tcp|wss?)$/.test(transportOf(each)))
  }

  async leaveCard(key: Uint8Array, value: Uint8Array, expiresAt: number): Promise<number> {
    return this.running?.directory.leaveCard(key, value, expiresAt) ?? 0
  }

  async registerInvite(hash: Uint8Array, expiresAt: number): Promise<void> {
    await this.running?.directory.registerInvite(hash, expiresAt)
  }

  async showInvite(proof: Uint8Array, relayUrl: string): Promise<void> {
    await this.running?.directory.showInvite(proof, relayUrl)
  }

  async fetchCard(key: Uint8Array, relayUrl: string, options: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array | null> {
    if (this.running === undefined) throw new SkeinError('RELAY_UNREACHABLE', 'The network is stopped.')
    return this.running.directory.fetchCard(key, relayUrl, options)
  }

  async publishRecord(key: Uint8Array, record: Uint8Array): Promise<boolean> {
    return this.running?.directory.publishRecord(key, record) ?? false
  }

  async findRecord(key: Uint8Array, options: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array | null> {
    return this.running?.directory.findRecord(key, options) ?? null
  }

  private turn(work: () => Promise<void>): Promise<void> {
    const done = this.turns.then(work)
    this.turns = done.catch(() => undefined)
    return done
  }

  private async startNow(): Promise<void> {
    if (this.running !== undefined) return
    const { privateKeySeed, listen, judge } = this.options
    const stunServers = (): readonly string[] => this.running?.supervisors.flatMap((each) => each.stunServers()) ?? []
    const refuses = (peer: PeerId): boolean => this.isRefusedPeer(peer)
    const gater = {
      denyDialPeer: refuses,
      denyInboundEncryptedConnection: refuses,
      denyInboundRelayedConnection: (_relay: PeerId, peer: PeerId) => this.refusesCircuit(peer),
    }
    const onRaw = (socket: Socket): void => (this.running?.bulk === undefined ? void socket.destroy() : this.running.bulk.onRaw(socket))
    const stack = await this.platform.createStack({
      privateKeySeed,
      listen,
      stunServers,
      gater,
      judge,
      onRaw,
      mayPunch: (device) => this.kept.has(device),
      onOfferFailed: (device) => this.running?.improver.offerFailed(device),
    })
    const own = { relayClock: this.relayClock, self: this.self, kept: this.kept, bulkHandlers: this.bulkHandlers }
    const running = new Running(stack, { ...this.options, ...this.platform, ...own, ...this.reports() })
    await this.listenNow(running)
    this.running = running
    for (const [protocol, handler] of this.handlers) running.channels.serve(protocol, handler)
    for (const [protocol, take] of this.streamHandlers) running.channels.serveStreams(protocol, take)
    for (const [topic, receive] of this.topics) stack.services.gossip.subscribe(topic, { receive, logger: this.options.logger })
    await running.channels.settled()
    running.joinRelays()
  }

  private async listenNow(running: Running): Promise<void> {
    try {
      await running.start()
    } catch (cause) {
      await running.stop()
      if (!String(cause).includes('EADDRINUSE')) throw cause
      throw new SkeinError(
        'PORT_IN_USE',
        `Port ${this.options.listen.port} cannot be opened: another program uses it. Choose another with --port.`,
        { cause, data: { port: this.options.listen.port } },
      )
    }
  }

  private refusesCircuit(peer: PeerId): boolean {
    const device = deviceOf(peer)
    const refuses = device === undefined || this.isRefused(device)
    if (!refuses) this.running?.expect(device)
    return refuses
  }

  private isRefusedPeer(peer: PeerId): boolean {
    const device = deviceOf(peer)
    return device === undefined || this.isRefused(device)
  }

  private isRefused(device: DeviceId): boolean {
    return this.penalties.isRefused(device, this.options.clock.monotonic())
  }

  private reports() {
    return {
      isRefused: (device: DeviceId) => this.isRefused(device),
      onOffence: (device: DeviceId, code: string) => this.penalise(device, code),
      onConnected: (device: DeviceId) => this.tell((each) => each.onConnected?.(device)),
      onDisconnected: (device: DeviceId) => this.tell((each) => each.onDisconnected?.(device)),
      onAlive: (device: DeviceId) => this.tell((each) => each.onAlive?.(device)),
      onBetterPath: (device: DeviceId) => this.tell((each) => each.onBetterPath?.(device)),
      onRelay: (relay: RelayStatus) => this.tell((each) => each.onRelay?.(relay)),
    }
  }

  /** One listener that throws must not keep the others, or libp2p, from going on. */
  private tell(say: (events: Partial<SwarmEvents>) => void): void {
    for (const each of [...this.listeners]) {
      try {
        say(each)
      } catch (error) {
        this.options.logger.error('listener-failed', { reason: String(error) })
      }
    }
  }
}
