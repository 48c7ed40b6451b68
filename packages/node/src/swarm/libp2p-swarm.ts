/** Core's Swarm and Directory on libp2p. */
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import {
  type Channel,
  type Clock,
  type DeviceId,
  deviceIdFromKey,
  type Directory,
  type Logger,
  type OpenOutcome,
  parseDeviceId,
  type PeerPath,
  type ProtocolId,
  type Random,
  type RelayStatus,
  SkeinError,
  type Swarm,
  type SwarmEvents,
  type TopicVerdict,
} from '@skein/core'
import { askRelay, connectRelay, getRecord, putRecord } from './card-client.ts'
import { pathOf, pick } from './connections.ts'
import { Dialler } from './dialling.ts'
import { StreamChannel } from './framing.ts'
import { Liveness } from './liveness.ts'
import { Penalties } from './penalties.ts'
import { fetchRelayInfo, RelayDirectory } from './relay-directory.ts'
import { RelaySupervisor } from './relay-supervisor.ts'
import { createStack, type Stack } from './stack.ts'
import type { RecordJudge } from './stack-parts.ts'

/** libp2p's stop can hang (webrtc-direct, js-libp2p #2625); then the process ends without it. Milliseconds. */
const STOP_WITHIN_MS = 3_000
/** Streams of one protocol that one device may have open to us. */
const MAX_STREAMS = 16

export interface SwarmOptions {
  /** Ed25519 seed of the device, 32 bytes. */
  readonly privateKeySeed: Uint8Array
  /** Relay URLs. */
  readonly relays: readonly string[]
  readonly listen: { readonly host: string; readonly port: number }
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly judge: RecordJudge
}

export async function createSwarm(options: SwarmOptions): Promise<Libp2pSwarm> {
  const penalties = new Penalties()
  const refuses = (peer: PeerId): boolean => !isDevice(peer) || penalties.isRefused(deviceOf(peer), options.clock.monotonic())
  let stunServers: readonly string[] = []
  const stack = await createStack({
    ...options,
    stunServers: () => stunServers,
    gater: { denyDialMultiaddr: () => false, denyInboundEncryptedConnection: (peer) => refuses(peer) },
  })
  return new Libp2pSwarm(stack, penalties, { ...options, onStun: (servers) => (stunServers = servers) })
}

export class Libp2pSwarm implements Swarm, Directory {
  readonly self: DeviceId
  private readonly stack: Stack
  private readonly options: SwarmOptions & { onStun(servers: readonly string[]): void }
  private readonly penalties: Penalties
  private readonly supervisors: readonly RelaySupervisor[]
  private readonly relayFiles: RelayDirectory
  private readonly dialler: Dialler
  private readonly liveness: Liveness
  private readonly listeners = new Set<Partial<SwarmEvents>>()
  private readonly kept = new Set<DeviceId>()
  private readonly topics = new Map<string, (bytes: Uint8Array) => Promise<TopicVerdict>>()
  private running = false

  constructor(stack: Stack, penalties: Penalties, options: SwarmOptions & { onStun(servers: readonly string[]): void }) {
    this.stack = stack
    this.options = options
    this.penalties = penalties
    this.self = parseDeviceId(stack.peerId.toString())
    this.relayFiles = new RelayDirectory(options.clock)
    const onChange = (status: RelayStatus): void => this.onRelayChange(status)
    this.supervisors = options.relays.map((url) => new RelaySupervisor(url, { ...options, stack, onChange }))
    this.dialler = new Dialler({ stack, directory: this.relayFiles, logger: options.logger, supervisors: () => this.supervisors })
    this.liveness = new Liveness({ ...options, stack, isWatched: (device) => this.isWatched(device), onAlive: (device) => this.alive(device) })
  }

  /** @throws SkeinError PORT_IN_USE */
  async start(): Promise<void> {
    if (this.running) return
    this.running = true
    this.stack.addEventListener('peer:connect', ({ detail }) => this.onPeer(detail, 'onConnected'))
    this.stack.addEventListener('peer:disconnect', ({ detail }) => this.onPeer(detail, 'onDisconnected'))
    try {
      await this.stack.start()
    } catch (cause) {
      throw portProblem(cause, this.options.listen.port)
    }
    this.liveness.start()
    for (const supervisor of this.supervisors) supervisor.start()
  }

  async stop(): Promise<void> {
    if (!this.running) return
    this.running = false
    this.liveness.stop()
    for (const supervisor of this.supervisors) supervisor.stop()
    this.listeners.clear()
    const over = new AbortController()
    await Promise.race([Promise.resolve(this.stack.stop()).catch(() => undefined), this.options.clock.sleep(STOP_WITHIN_MS, over)])
    over.abort()
  }

  async open(device: DeviceId, protocol: ProtocolId, { relays = [], signal }: { readonly relays?: readonly string[]; readonly signal?: AbortSignal } = {}): Promise<OpenOutcome> {
    if (!this.running) return { kind: 'absent', reason: 'stopped' }
    const stream = await this.dialler.openStream(device, protocol, { relays, signal })
    return typeof stream === 'string' ? { kind: 'absent', reason: stream } : { kind: 'open', channel: this.channelOver(stream, device) }
  }

  handle(protocol: ProtocolId, handler: (channel: Channel) => Promise<void>): () => void {
    const serve = (stream: Stream, connection: Connection): void => {
      const channel = this.channelOver(stream, deviceOf(connection.remotePeer))
      handler(channel).catch((error: unknown) => {
        this.options.logger.error('handler-failed', { protocol, reason: String(error) })
        channel.close()
      })
    }
    void this.stack.handle(protocol, serve, { runOnLimitedConnection: true, maxInboundStreams: MAX_STREAMS })
    return () => void this.stack.unhandle(protocol)
  }

  listen(events: Partial<SwarmEvents>): () => void {
    this.listeners.add(events)
    return () => this.listeners.delete(events)
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    await this.stack.services.gossip.publish(topic, bytes).catch((error: unknown) => this.options.logger.debug('publish-failed', { reason: String(error) }))
  }

  subscribe(topic: string, receive: (bytes: Uint8Array) => Promise<TopicVerdict>): () => void {
    const { gossip } = this.stack.services
    this.topics.set(topic, receive)
    gossip.topicValidators.set(topic, async (_peer, message) => (await receive(message.data)) as never)
    gossip.subscribe(topic)
    return () => {
      this.topics.delete(topic)
      gossip.topicValidators.delete(topic)
      if (this.running) gossip.unsubscribe(topic)
    }
  }

  isConnected(device: DeviceId): boolean {
    return this.dialler.connectionTo(device) !== undefined
  }

  keep(device: DeviceId, wanted: boolean): void {
    if (wanted) this.kept.add(device)
    else this.kept.delete(device)
  }

  penalise(device: DeviceId, code: string): void {
    this.options.logger.info('offence', { code })
    if (!this.penalties.offend(device, this.options.clock.monotonic())) return
    this.options.logger.warn('peer-dropped', { code })
    for (const connection of this.stack.getConnections(peerIdFromString(device))) connection.abort(new Error('too many offences'))
  }

  paths(): readonly PeerPath[] {
    const devices = new Set(this.stack.getConnections().map((each) => each.remotePeer.toString()))
    return [...devices].flatMap((text) => {
      const device = parseDeviceId(text)
      const connection = pick(this.stack.getConnections(peerIdFromString(text)))
      return connection === undefined ? [] : [pathOf(device, connection, this.liveness.rttOf(device))]
    })
  }

  relays(): readonly RelayStatus[] {
    return this.supervisors.map((each) => each.status())
  }

  addresses(): readonly string[] {
    return this.stack.getMultiaddrs().map(String)
  }

  async leaveCard(key: Uint8Array, value: Uint8Array, expiresAt: number): Promise<number> {
    const joined = this.supervisors.filter((each) => each.status().connected && each.current !== null)
    const taken = await Promise.all(joined.map((each) => this.ask(each.current, { kind: 'put', key, value, expiresAt }).catch(() => null)))
    return taken.filter((reply) => reply?.outcome === 'ok').length
  }

  async fetchCard(key: Uint8Array, relayUrl: string): Promise<Uint8Array | null> {
    const reply = await this.ask(await fetchRelayInfo(relayUrl), { kind: 'get', key })
    return reply.outcome === 'ok' ? reply.value : null
  }

  publishRecord(key: Uint8Array, record: Uint8Array): Promise<boolean> {
    return putRecord(this.stack, { key, record, logger: this.options.logger })
  }

  findRecord(key: Uint8Array, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array | null> {
    return getRecord(this.stack, key, signal)
  }

  private async ask(info: Parameters<typeof connectRelay>[1], request: Parameters<typeof askRelay>[2]) {
    const connection = await connectRelay(this.stack, info)
    if (info === null) throw new SkeinError('RELAY_UNREACHABLE', 'The relay is away.')
    return askRelay(connection, info, request)
  }

  private channelOver(stream: Stream, device: DeviceId): StreamChannel {
    return new StreamChannel(stream, device, {
      onFrame: () => {
        this.liveness.sawTraffic(device)
        this.alive(device)
      },
      onOffence: (code) => this.penalise(device, code),
    })
  }

  private isWatched(device: DeviceId): boolean {
    return this.kept.has(device) || this.supervisors.some(({ current }) => current?.device === device)
  }

  private alive(device: DeviceId): void {
    for (const listener of this.listeners) listener.onAlive?.(device)
  }

  private onPeer(peer: PeerId, event: 'onConnected' | 'onDisconnected'): void {
    if (!isDevice(peer)) return
    const device = deviceOf(peer)
    if (event === 'onDisconnected') {
      this.liveness.forget(device)
      for (const supervisor of this.supervisors) if (supervisor.current?.device === device) supervisor.recheck()
    }
    for (const listener of this.listeners) listener[event]?.(device)
  }

  private onRelayChange(status: RelayStatus): void {
    this.options.onStun(this.supervisors.flatMap((each) => (each.status().connected ? (each.current?.stun ?? []) : [])))
    this.relayFiles.forget(status.url)
    for (const listener of this.listeners) listener.onRelay?.(status)
  }
}

function isDevice(peer: PeerId): boolean {
  return peer.type === 'Ed25519'
}

function deviceOf(peer: PeerId): DeviceId {
  if (peer.type !== 'Ed25519') throw new SkeinError('WRONG_DEVICE', 'A peer without an Ed25519 key connected.')
  return deviceIdFromKey(peer.publicKey.raw)
}

function portProblem(cause: unknown, port: number): unknown {
  const text = cause instanceof Error ? `${cause.message} ${cause instanceof AggregateError ? cause.errors.join(' ') : ''} ${String(cause.cause ?? '')}` : ''
  if (port === 0 || !/EADDRINUSE|could not listen|UnsupportedListenAddresses/i.test(`${text} ${cause instanceof Error ? cause.name : ''}`)) return cause
  return new SkeinError('PORT_IN_USE', `Port ${port} cannot be opened: another program uses it. Choose another with --port.`, { cause })
}
