/** Whole messengers in memory on a virtual clock: what happens to a user, without a network and without waiting. */
import { fflateCompression } from '../e2ee/compression.ts'
import {
  loadAnnotate,
  loadDepositor,
  loadDropDevice,
  loadExpire,
  loadOldMail,
  loadOutboxView,
  loadUnconfirmed,
} from '../dispatch/late-code.ts'
import { carryByMesh } from '../dispatch/mesh-carrier.ts'
import { type BulkPort, type FilePlatform, transferFiles } from '../files/index.ts'
import { type DeviceId, deviceIdFromKey } from '../ids.ts'
import { Messenger } from '../messenger.ts'
import { loadIdentity, type MessengerEvent } from '../messenger-ports.ts'
import type { BundleArchive } from '../mesh/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Channel } from '../ports/swarm.ts'
import type { StoredContact, StoredMessage } from '../ports/store.ts'
import type { Visibility } from '../presence/index.ts'
import { MemoryNetwork, type MemorySwarm } from './memory-network.ts'
import { MAILBOX_BOUNDS, type MailboxBounds } from '../mailbox/bounds.ts'
import { MailboxService } from '../mailbox/mailbox-service.ts'
import { MAILBOX_PROTOCOL } from '../mailbox/protocol.ts'
import { MemoryMailboxStore } from './memory-mailbox-store.ts'
import { MemoryStore } from './memory-store.ts'
import { plainIssuer, plainTokens } from './plain-tokens.ts'
import { RecordingLogger } from './recording-logger.ts'
import { seededRandom } from './seeded-random.ts'
import { settle, VirtualClock } from './virtual-clock.ts'
import { worldPrimitives } from './world-primitives.ts'

export interface WorldNode {
  readonly name: string
  readonly store: MemoryStore
  readonly messenger: Messenger
  readonly swarm: MemorySwarm
  readonly logger: RecordingLogger
  readonly events: readonly MessengerEvent[]
}

export interface StartOptions {
  readonly visibility?: Visibility
  readonly store?: MemoryStore
  readonly meshArchive?: BundleArchive
  /** URLs of own mailboxes; with them, tokens too. */
  readonly mailboxes?: readonly string[]
  readonly readReceipts?: boolean
  readonly files?: FilePlatform
  /** Instead of `files`: loaded when needed. */
  readonly lateFiles?: () => Promise<FilePlatform>
  /** Raw connections for files. */
  readonly bulk?: (self: DeviceId) => BulkPort
  /** How far the node's clock is off, milliseconds. */
  readonly skewMs?: number
}

export interface WorldRelay {
  readonly url: string
  readonly store: MemoryMailboxStore
  readonly device: DeviceId
  readonly logger: RecordingLogger
  /** It is gone, with everybody's streams to it. */
  end(): void
  /** What its mailbox spends; may be changed. */
  bounds: MailboxBounds
}

/** Before a world with several devices in an account: what takes real time does not wait for the world's. */
export async function loadDeviceCode(): Promise<void> {
  await Promise.all([
    import('../devices/device-lists.ts'),
    import('../devices/link-guest.ts'),
    import('../devices/link-host.ts'),
    import('../devices/own-sync.ts'),
    import('../wire/devices.ts'),
  ])
}

export class World {
  readonly clock = new VirtualClock()
  readonly network: MemoryNetwork
  readonly primitives: Primitives
  /** Whether time leaps over stretches in which nothing can happen. */
  skipsIdle = false
  private readonly random: ReturnType<typeof seededRandom>
  private readonly nodes = new Map<string, WorldNode>()

  /** @param primitives a faster backend, for many worlds */
  constructor(seed: number, primitives: Primitives = worldPrimitives) {
    this.primitives = primitives
    this.random = seededRandom(seed)
    this.network = new MemoryNetwork(() => this.random.uniform())
  }

  /** Uniform in [0, 1), from the world's seed. */
  chance(): number {
    return this.random.uniform()
  }

  /** A device of nobody: for who listens or meddles without a messenger. */
  strangerDevice(): DeviceId {
    return deviceIdFromKey(this.primitives.ed25519PublicKey(this.random.bytes(32)))
  }

  /** A relay that keeps mail, under a URL; its store may be that of an earlier one. @param made what its keys follow from */
  relay(url: string, store = new MemoryMailboxStore(), made = url): WorldRelay {
    const seed = this.primitives.sha256(new TextEncoder().encode(made))
    const device = deviceIdFromKey(this.primitives.ed25519PublicKey(seed))
    const { clock, random, network } = this
    const logger = new RecordingLogger()
    const issuer = plainIssuer(made, clock)
    const isMember = (peer: DeviceId): boolean => [...this.nodes.values()].some(({ messenger }) => messenger.identity.device === peer)
    const deps = { store, clock, random, logger, primitives: this.primitives, issuer, seed, limits: { maxBytes: 1e9 }, isMember }
    const service = new MailboxService({ ...deps, bounds: () => relay.bounds })
    const serve = (channel: Channel): Promise<void> => service.serve(channel)
    network.setRelay(url, { device, handlers: new Map([[MAILBOX_PROTOCOL, serve]]) })
    const relay: WorldRelay = { url, store, device, logger, bounds: MAILBOX_BOUNDS, end: () => network.setRelay(url, undefined) }
    return relay
  }

  /** Starts a node; with the store of an earlier one of this name, it is that one restarted. */
  async start(
    name: string,
    {
      visibility = 'contacts',
      store = new MemoryStore(),
      meshArchive,
      mailboxes,
      readReceipts = false,
      skewMs = 0,
      files,
      lateFiles,
      bulk,
    }: StartOptions = {},
  ): Promise<WorldNode> {
    const logger = new RecordingLogger()
    const carriers = {
      ...(meshArchive === undefined ? {} : { mesh: carryByMesh(meshArchive) }),
      ...(mailboxes === undefined ? {} : { tokens: async () => plainTokens }),
    }
    const ports = {
      ...carriers,
      store,
      clock: skewed(this.clock, skewMs),
      random: this.random,
      primitives: this.primitives,
      compression: fflateCompression,
      logger,
    }
    const identity = await loadIdentity(ports)
    const swarm = this.network.join(identity.device)
    const transfers = files === undefined ? {} : { files: transferFiles(files, bulk?.(identity.device)) }
    const late = lateFiles === undefined ? {} : { lateFiles: async () => transferFiles(await lateFiles()) }
    const messenger = new Messenger({ ...ports, ...transfers, ...late, swarm, directory: this.network.directory }, identity, {
      name,
      relays: ['http://relay.test'],
      mailboxes: mailboxes ?? [],
      readReceipts,
      visibility,
      deviceName: name,
    })
    const events: MessengerEvent[] = []
    messenger.listen((event) => events.push(event))
    // What takes real time does not wait for the world's.
    await Promise.all([loadUnconfirmed(), loadOldMail(), loadDepositor(), loadDropDevice(), loadAnnotate(), loadExpire(), loadOutboxView()])
    await messenger.start()
    const node = { name, store, messenger, swarm, logger, events }
    this.nodes.set(name, node)
    return node
  }

  /** The process is gone at this instant; what was committed stays. */
  kill(node: WorldNode): void {
    this.network.kill(node.messenger.identity.device)
    node.messenger.stop()
  }

  /** Makes `fresh` a device of the account of `host`: link, compare, confirm, start anew. @param again how it is started then */
  async link(host: WorldNode, fresh: WorldNode, again: () => StartOptions = () => ({ store: fresh.store.reopened() })): Promise<WorldNode> {
    await loadDeviceCode()
    const linking = await host.messenger.devices.link()
    const { link } = await linking.offer('http://relay.test')
    let shown = ''
    const release = linking.listen((event) => {
      if (event.state === 'compare') linking.answer(true, shown)
    })
    const joining = fresh.messenger.devices.join(link, { onCode: (code) => (shown = code) })
    await this.run(2_000)
    await joining
    release()
    this.kill(fresh)
    const joined = await this.start(fresh.name, again())
    await this.run(2_000)
    return joined
  }

  restart(node: WorldNode): Promise<WorldNode> {
    return this.start(node.name, { store: node.store.reopened() })
  }

  /** Lets everything happen that can happen within `ms` of virtual time. */
  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; ) {
      do await settle()
      while (this.network.pump())
      const step = Math.min(this.skipsIdle ? Math.max(100, this.clock.untilNext()) : 100, left)
      await this.clock.advance(step)
      left -= step
    }
  }

  async befriend(a: WorldNode, b: WorldNode): Promise<void> {
    const { invite } = await a.messenger.invite()
    const adding = b.messenger.add(invite)
    await this.run(1_000)
    await adding
    await this.run(1_000)
  }

  contactOf(node: WorldNode, other: WorldNode): StoredContact {
    return node.messenger.book.find(other.messenger.identity.account)
  }

  send(from: WorldNode, to: WorldNode, text: string): Promise<StoredMessage> {
    return from.messenger.send(this.contactOf(from, to), text)
  }

  history(node: WorldNode, other: WorldNode): Promise<readonly StoredMessage[]> {
    return node.messenger.history(other.messenger.identity.account, { limit: 1_000 })
  }
}

/** A clock that shows another time of day, and runs as fast. */
function skewed(clock: VirtualClock, ms: number): Clock {
  if (ms === 0) return clock
  return { now: () => clock.now() + ms, monotonic: () => clock.monotonic(), sleep: (time, options) => clock.sleep(time, options) }
}
