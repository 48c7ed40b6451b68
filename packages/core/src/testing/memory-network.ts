/** A network in memory: swarms whose frames move only when pumped, with loss, partitions and kills at will. */
import { DELIVER_PROTOCOL } from '../delivery/index.ts'
import { type DeviceId, deviceIdFromKey } from '../ids.ts'
import type { Directory } from '../ports/directory.ts'
import type { Channel, OpenOutcome, PeerPath, ProtocolId, RelayStatus, Swarm, SwarmEvents, TopicVerdict } from '../ports/swarm.ts'
import { MAX_FRAME_BYTES } from '../wire/limits.ts'

type Handler = (channel: Channel) => Promise<void>

/** What happens to the next frame: it comes twice, or behind the one that follows it. */
export type Disorder = () => 'none' | 'double' | 'swap'

/** One direction of a channel: frames wait in `queue` until pumped. */
class Pipe {
  readonly queue: Uint8Array[] = []
  private readonly arrived: Uint8Array[] = []
  private wake: () => void = () => undefined
  closed = false
  private readonly disorder: Disorder

  constructor(disorder: Disorder = () => 'none') {
    this.disorder = disorder
  }

  pump(): boolean {
    const frame = this.next()
    if (frame === undefined) return false
    this.arrived.push(frame)
    this.wake()
    return true
  }

  private next(): Uint8Array | undefined {
    const [first, second] = this.queue
    const what = first === undefined ? 'none' : this.disorder()
    if (what === 'double') return first
    if (what === 'swap' && first !== undefined && second !== undefined) this.queue.splice(0, 2, second, first)
    return this.queue.shift()
  }

  close(): void {
    this.closed = true
    this.wake()
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = this.arrived.shift()
      if (frame !== undefined) yield frame
      else if (this.closed && this.queue.length === 0) return
      else await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }
}

class MemoryChannel implements Channel {
  readonly peer: DeviceId
  private readonly outgoing: Pipe
  private readonly incoming: Pipe

  constructor(peer: DeviceId, { outgoing, incoming }: { outgoing: Pipe; incoming: Pipe }) {
    this.peer = peer
    this.outgoing = outgoing
    this.incoming = incoming
  }

  async send(frame: Uint8Array): Promise<boolean> {
    if (frame.length > MAX_FRAME_BYTES) throw new RangeError('a frame is larger than the limit')
    if (this.outgoing.closed) return false
    this.outgoing.queue.push(frame.slice())
    return true
  }

  frames(): AsyncIterable<Uint8Array> {
    return this.incoming.frames()
  }

  close(): void {
    this.outgoing.close()
    this.incoming.close()
  }
}

/** What answers under a relay's URL. */
export interface MemoryRelay {
  readonly device: DeviceId
  readonly handlers: ReadonlyMap<ProtocolId, Handler>
}

interface Link {
  readonly ends: readonly [DeviceId, DeviceId]
  readonly pipes: readonly [Pipe, Pipe]
}

/** All swarms of a test and everything in flight between them. */
export class MemoryNetwork {
  private readonly swarms = new Map<DeviceId, MemorySwarm>()
  private readonly links = new Set<Link>()
  private readonly cut = new Set<string>()
  private readonly cards = new Map<string, Uint8Array>()
  private readonly relays = new Map<string, MemoryRelay>()
  /** Who relays see in place of a device in disguise. */
  private readonly disguises = new Map<string, DeviceId>()
  /** Share of gossip messages that are lost, 0 to 1; decided by `lottery`. */
  gossipLoss = 0
  /** Of deliveries alone: what else two devices talk in keeps the order of its stream. */
  disorder: Disorder = () => 'none'
  private readonly lottery: () => number

  constructor(lottery: () => number = () => 1) {
    this.lottery = lottery
  }

  join(device: DeviceId): MemorySwarm {
    const swarm = new MemorySwarm(device, this)
    this.swarms.set(device, swarm)
    return swarm
  }

  /** The device is gone without a word: channels close, nothing in flight arrives. */
  kill(device: DeviceId): void {
    this.swarms.delete(device)
    for (const link of [...this.links]) if (link.ends.includes(device)) this.drop(link)
  }

  /** Cuts or mends the way between two devices. */
  partition(a: DeviceId, b: DeviceId, apart: boolean): void {
    const key = [a, b].sort().join()
    if (!apart) this.cut.delete(key)
    else this.cut.add(key)
    if (apart) for (const link of [...this.links]) if (link.ends.includes(a) && link.ends.includes(b)) this.drop(link)
  }

  /** Ends connections, with what is in flight. */
  dropLinks(isHit: () => boolean): void {
    for (const link of [...this.links]) if (isHit()) this.drop(link)
  }

  /** Ends all partitions. */
  mend(): void {
    this.cut.clear()
  }

  /** Moves every frame that is in flight now by one hop; true if any moved. */
  pump(): boolean {
    const moved = [...this.links].map(({ pipes }) => pipes.map((pipe) => pipe.pump()).some(Boolean))
    for (const link of [...this.links]) if (link.pipes.every((pipe) => pipe.closed && pipe.queue.length === 0)) this.drop(link)
    return moved.some(Boolean)
  }

  reaches(a: DeviceId, b: DeviceId): boolean {
    return this.swarms.has(a) && this.swarms.has(b) && !this.cut.has([a, b].sort().join())
  }

  connected(a: DeviceId, b: DeviceId): boolean {
    return [...this.links].some(({ ends }) => ends.includes(a) && ends.includes(b))
  }

  openLink(from: DeviceId, to: DeviceId, protocol: ProtocolId): OpenOutcome {
    const handler = this.swarms.get(to)?.handlers.get(protocol)
    if (handler === undefined || !this.reaches(from, to)) return { kind: 'absent', reason: 'no-route' }
    const first = !this.connected(from, to)
    const disorder = protocol === DELIVER_PROTOCOL ? () => this.disorder() : undefined
    const [there, back] = [new Pipe(disorder), new Pipe(disorder)]
    this.links.add({ ends: [from, to], pipes: [there, back] })
    const channel = new MemoryChannel(to, { outgoing: there, incoming: back })
    void handler(new MemoryChannel(from, { outgoing: back, incoming: there }))
    if (first) this.announceLink(from, to)
    return { kind: 'open', channel }
  }

  /** A relay under this URL from now on, or none. */
  setRelay(url: string, relay: MemoryRelay | undefined): void {
    const before = this.relays.get(url)
    if (relay === undefined) this.relays.delete(url)
    else this.relays.set(url, relay)
    for (const link of [...this.links]) if (before !== undefined && link.ends[1] === before.device) this.drop(link)
  }

  openRelayLink(from: DeviceId, url: string, { protocol, disguise }: { protocol: ProtocolId; disguise: string | undefined }): OpenOutcome {
    const relay = this.relays.get(url)
    if (relay === undefined || !this.swarms.has(from) || this.cut.has([from, relay.device].sort().join()))
      return { kind: 'absent', reason: 'no-route' }
    const handler = relay.handlers.get(protocol)
    if (handler === undefined) return { kind: 'absent', reason: 'refused' }
    const [there, back] = [new Pipe(), new Pipe()]
    this.links.add({ ends: [from, relay.device], pipes: [there, back] })
    const seenAs = disguise === undefined ? from : this.disguised(`${from} ${url} ${disguise}`)
    void handler(new MemoryChannel(seenAs, { outgoing: back, incoming: there }))
    return { kind: 'open', channel: new MemoryChannel(relay.device, { outgoing: there, incoming: back }) }
  }

  private disguised(name: string): DeviceId {
    const known = this.disguises.get(name)
    if (known !== undefined) return known
    const number = new Uint8Array(32)
    new DataView(number.buffer).setUint32(0, this.disguises.size + 1)
    const made = deviceIdFromKey(number)
    this.disguises.set(name, made)
    return made
  }

  async gossip(from: DeviceId, topic: string, bytes: Uint8Array): Promise<void> {
    for (const [device, swarm] of this.swarms) {
      if (device === from || !this.reaches(from, device) || this.lottery() < this.gossipLoss) continue
      await swarm.topics.get(topic)?.(bytes.slice())
    }
  }

  readonly directory: Directory = {
    leaveCard: async (key, value) => {
      this.cards.set(`card ${key.join()}`, value.slice())
      return 1
    },
    registerInvite: async (hash) => void this.cards.set(`invite ${hash.join()}`, hash.slice()),
    showInvite: async () => undefined,
    fetchCard: async (key) => this.cards.get(`card ${key.join()}`) ?? null,
    publishRecord: async (key, record) => {
      this.cards.set(`record ${key.join()}`, record.slice())
      return true
    },
    findRecord: async (key) => this.cards.get(`record ${key.join()}`) ?? null,
  }

  private announceLink(a: DeviceId, b: DeviceId): void {
    for (const listener of this.swarms.get(a)?.listeners ?? []) listener.onConnected?.(b)
    for (const listener of this.swarms.get(b)?.listeners ?? []) listener.onConnected?.(a)
  }

  private drop(link: Link): void {
    this.links.delete(link)
    for (const pipe of link.pipes) {
      pipe.queue.length = 0
      pipe.close()
    }
    const [a, b] = link.ends
    if (this.connected(a, b)) return
    for (const listener of this.swarms.get(a)?.listeners ?? []) listener.onDisconnected?.(b)
    for (const listener of this.swarms.get(b)?.listeners ?? []) listener.onDisconnected?.(a)
  }
}

/** Core's Swarm on a MemoryNetwork. */
export class MemorySwarm implements Swarm {
  readonly self: DeviceId
  readonly handlers = new Map<ProtocolId, Handler>()
  readonly topics = new Map<string, (bytes: Uint8Array) => Promise<TopicVerdict>>()
  readonly listeners = new Set<Partial<SwarmEvents>>()
  /** Offences recorded, by device. */
  readonly offences: { readonly device: DeviceId; readonly code: string }[] = []
  readonly doubted: DeviceId[] = []
  private readonly network: MemoryNetwork

  constructor(self: DeviceId, network: MemoryNetwork) {
    this.self = self
    this.network = network
  }

  open(...[device, protocol]: Parameters<Swarm['open']>): Promise<OpenOutcome> {
    return Promise.resolve(this.network.openLink(this.self, device, protocol))
  }

  openRelay(url: string, protocol: ProtocolId, { disguise }: { readonly disguise?: string } = {}): Promise<OpenOutcome> {
    return Promise.resolve(this.network.openRelayLink(this.self, url, { protocol, disguise }))
  }

  handle(protocol: ProtocolId, handler: Handler): () => void {
    this.handlers.set(protocol, handler)
    return () => this.handlers.delete(protocol)
  }

  listen(events: Partial<SwarmEvents>): () => void {
    this.listeners.add(events)
    return () => this.listeners.delete(events)
  }

  publish(topic: string, bytes: Uint8Array): Promise<void> {
    return this.network.gossip(this.self, topic, bytes)
  }

  subscribe(topic: string, receive: (bytes: Uint8Array) => Promise<TopicVerdict>): () => void {
    this.topics.set(topic, receive)
    return () => this.topics.delete(topic)
  }

  isConnected(device: DeviceId): boolean {
    return this.network.connected(this.self, device)
  }

  keep(): void {}

  penalise(device: DeviceId, code: string): void {
    this.offences.push({ device, code })
  }

  /** What is broken here is broken for everybody to see: it is only noted. */
  doubt(device: DeviceId): void {
    this.doubted.push(device)
  }

  paths(): readonly PeerPath[] {
    return []
  }

  relays(): readonly RelayStatus[] {
    return []
  }

  addresses(): readonly string[] {
    return []
  }
}
