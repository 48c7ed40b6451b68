/** Makes neighbours: connections on the local network, to contacts and strangers alike, become links of the mesh. */
import {
  type Channel,
  ChannelLink,
  type Clock,
  type DeviceId,
  type Link,
  type Logger,
  type MeshService,
  Pace,
  PacedLink,
  type PeerPath,
  type ProtocolId,
} from '@skein/core'
import type { Libp2pSwarm } from '../swarm/index.ts'
import { Places } from './places.ts'

export const MESH_PROTOCOL: ProtocolId = '/skein/mesh/1'
/** Neighbours that are looked for; others may come by themselves, up to the mesh's own limit. With six each, a room full of devices hangs together. */
export const WANTED_NEIGHBOURS = 6
/** One more is looked for after so long, milliseconds, doubled with each beyond those: or two groups in which everybody has enough would never join. */
const ONE_MORE_AFTER_MS = 60_000
const MOST_LOOKED_FOR = 16
/** Strangers that are dialled at once. */
const MAX_GREETINGS = 4
/** A device that does not want to be a neighbour, or not now, is asked again after so long, milliseconds; doubled each time. */
const ASK_AGAIN = { first: 1_000, most: 60_000 } as const
/** A link that has lasted so long was wanted, milliseconds. */
const WANTED_AFTER_MS = 5_000
/** The device with the larger id waits so long for the other to ask, milliseconds. */
const YIELD_MS = 3_000
const LOOK_EVERY_MS = 500

export interface MeshNeighboursDeps {
  readonly mesh: MeshService
  readonly swarm: Pick<Libp2pSwarm, 'self' | 'open' | 'handle' | 'listen' | 'paths' | 'relays' | 'keep' | 'isConnected' | 'greet' | 'doubt'>
  readonly clock: Clock
  readonly logger: Logger
  /** Whether a device is one of a contact. */
  isContact(device: DeviceId): boolean
  /** Whether others look after the connection to it, which then is not for the mesh to let go. */
  isLookedAfter(device: DeviceId): boolean
  /** Whether a connection may be a link. */
  isLink(path: PeerPath): boolean
}

/** What goes over all links beyond the local network together at most, in bytes per second: a tenth of a thin uplink. */
export const BRIDGE_BYTES_PER_SECOND = 131_072
/** Cost of a byte on such a link. */
const BRIDGE_COST = 1

export class MeshNeighbours {
  private readonly deps: MeshNeighboursDeps
  private readonly places: Places
  /** When a connected device may be asked again, monotonic milliseconds, and how long the wait after that is. */
  private readonly asked = new Map<DeviceId, { readonly dueAt: number; readonly wait: number }>()
  private readonly stopping = new AbortController()
  private readonly releases: (() => void)[] = []
  private greetings = 0
  /** When somebody was dialled last, or fewer neighbours were there than are wanted; monotonic milliseconds. */
  private lookedAt: number
  private uplink: Pace | undefined
  /** Links beyond the local network, and to whom. */
  private readonly bridged = new Map<Link, DeviceId>()

  constructor(deps: MeshNeighboursDeps) {
    this.deps = deps
    this.lookedAt = deps.clock.monotonic()
    this.places = new Places(this.lookedAt)
  }

  start(): void {
    const { swarm } = this.deps
    this.releases.push(
      swarm.handle(MESH_PROTOCOL, (channel) => this.accept(channel)),
      swarm.listen({ onConnected: () => this.look(), onDisconnected: (device) => void this.asked.delete(device) }),
    )
    void this.run()
  }

  stop(): void {
    this.stopping.abort()
    for (const release of this.releases.splice(0)) release()
  }

  /** Somebody can be dialled there, as a multiaddr; told again and again. */
  seen(address: string): void {
    if (this.places.seen(address, this.deps.clock.monotonic())) this.greetSome()
  }

  private async run(): Promise<void> {
    while (await this.deps.clock.sleep(LOOK_EVERY_MS, { signal: this.stopping.signal })) {
      // A cable that was pulled ends no connection, and one that is put back wakes it up late.
      for (const peer of this.deps.mesh.silent()) this.deps.swarm.doubt(peer as DeviceId)
      this.closeUnwanted()
      this.look()
      this.greetSome()
    }
  }

  /** Whoever is a contact no longer is linked beyond the local network no longer. */
  private closeUnwanted(): void {
    for (const [link, device] of this.bridged) if (!this.deps.isContact(device)) link.close()
  }

  /** Asks whoever is connected and is no neighbour yet. */
  private look(): void {
    const { swarm, mesh, clock, isLink } = this.deps
    const relays = new Set(swarm.relays().map(({ device }) => device))
    const now = clock.monotonic()
    for (const path of swarm.paths()) {
      const { device, since } = path
      if (relays.has(device) || !isLink(path) || mesh.hasNeighbour(device) || (this.asked.get(device)?.dueAt ?? 0) > now) continue
      if (swarm.self > device && clock.now() - since < YIELD_MS) continue
      const wait = this.asked.get(device)?.wait ?? ASK_AGAIN.first
      this.asked.set(device, { dueAt: now + wait, wait: Math.min(2 * wait, ASK_AGAIN.most) })
      void this.ask(device)
    }
  }

  private async ask(device: DeviceId): Promise<void> {
    const opened = await this.deps.swarm.open(device, MESH_PROTOCOL, { signal: this.stopping.signal })
    if (opened.kind === 'open') await this.attach(opened.channel)
  }

  private async accept(channel: Channel): Promise<void> {
    const { swarm, isLink } = this.deps
    const path = swarm.paths().find(({ device }) => device === channel.peer)
    if (path === undefined || !isLink(path)) channel.close()
    else await this.attach(channel)
  }

  private async attach(channel: Channel): Promise<void> {
    const { mesh, swarm, isLookedAfter, clock, logger } = this.deps
    const { peer } = channel
    // Pings tell when it has gone without a word.
    swarm.keep(peer, true)
    const began = clock.monotonic()
    const link = this.linkOf(channel)
    // What goes wrong on one link ends that link.
    await mesh.attach(peer, link).catch((error: unknown) => logger.warn('mesh-link-failed', { reason: String(error) }))
    this.bridged.delete(link)
    if (clock.monotonic() - began > WANTED_AFTER_MS) this.asked.delete(peer)
    if (!isLookedAfter(peer) && !mesh.hasNeighbour(peer)) swarm.keep(peer, false)
  }

  private linkOf(channel: Channel): Link {
    const path = this.deps.swarm.paths().find(({ device }) => device === channel.peer)
    if (path === undefined || path.path === 'lan') return new ChannelLink(channel)
    const link = new ChannelLink(channel, { cost: BRIDGE_COST })
    this.uplink ??= new Pace(BRIDGE_BYTES_PER_SECOND, this.deps.clock, link.mtu)
    const paced = new PacedLink(link, this.uplink)
    this.bridged.set(paced, channel.peer)
    return paced
  }

  private greetSome(): void {
    const { clock, swarm } = this.deps
    while (this.greetings < MAX_GREETINGS && this.isLooking()) {
      const address = this.places.next(clock.monotonic(), (device) => swarm.isConnected(device))
      if (address === undefined) return
      this.lookedAt = clock.monotonic()
      this.greetings += 1
      void this.greet(address)
    }
  }

  private isLooking(): boolean {
    const beyond = this.deps.mesh.neighbourCount + this.greetings - WANTED_NEIGHBOURS
    if (beyond < 0) this.lookedAt = this.deps.clock.monotonic()
    if (beyond < 0 || WANTED_NEIGHBOURS + beyond >= MOST_LOOKED_FOR) return beyond < 0
    return this.deps.clock.monotonic() - this.lookedAt >= ONE_MORE_AFTER_MS * 2 ** beyond
  }

  private async greet(address: string): Promise<void> {
    const device = await this.deps.swarm.greet(address)
    this.greetings -= 1
    if (device === undefined) return
    this.places.answered(address, device)
    this.look()
  }
}
