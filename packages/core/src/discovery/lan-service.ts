/** Finds contacts on the local network and lets them find us (docs/spec/discovery.md). */
import { hex } from '@scure/base'
import { type DeviceId, deviceIdFromKey } from '../ids.ts'
import type { Identity } from '../identity/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Discovery, LanSource } from '../ports/discovery.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Visibility } from '../presence/index.ts'
import { decodeLanAnnouncement, type LanAnnouncementFields } from '../wire/lan.ts'
import { Announcer, EPOCH_MS, type ListeningPorts } from './announcer.ts'
import { Hearing } from './hearing.ts'
import { LanKeys, type LanPeer, makeTag, tagMessage } from './tags.ts'

/** Clocks on a network without internet may be off by a time zone (LD4). */
const MAX_EPOCHS_OFF = 86_400_000 / EPOCH_MS
/** The device with the larger id waits for the other to dial (LD7), milliseconds. */
const YIELD_MS = 1_000
/** Announcements remembered whose senders have been answered. */
const MAX_NEWCOMERS = 256
/** A newcomer is answered at once, but not more often than this, milliseconds (LD1). */
const ANSWER_EVERY_MS = 1_000
/** Shown as nearby this long after it was heard last: three announcements. Milliseconds. */
const NEARBY_MS = 15_000
/** Addresses of ours whose last words are remembered. */
const MAX_OWN = 64
/** Strangers shown as nearby; the one heard longest ago makes room. */
const MAX_NEARBY = 256

export interface LanDeps {
  readonly identity: Pick<Identity, 'device' | 'deviceKey' | 'dhSecret'>
  readonly primitives: Pick<Primitives, 'x25519' | 'hkdfSha256' | 'hmacSha256' | 'sha256'>
  readonly discovery: Discovery
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  visibility(): Visibility
  /** Devices of contacts that we want to meet. */
  contacts(): readonly LanPeer[]
  ports(): ListeningPorts
  /** A device says that it can be dialled there, as multiaddrs. Told again with each announcement. */
  onSeen(device: DeviceId, addresses: readonly string[]): void
  /** Somebody, a stranger perhaps, says that it can be dialled there, as a multiaddr. Told again with each announcement. */
  onPlace?(address: string): void
}

export interface LanCounts {
  readonly heard: number
  /** Over the limit of one address or of all. */
  readonly ignored: number
  readonly malformed: number
}

export class LanService {
  private readonly deps: LanDeps
  private readonly keys: LanKeys
  private readonly announcer: Announcer
  private readonly hearing = new Hearing()
  private readonly stopping = new AbortController()
  /** Monotonic instants. */
  private readonly newcomers = new Map<string, number>()
  private readonly strangers = new Map<DeviceId, number>()
  /** What we said last, by our own address. */
  private readonly own = new Map<string, ReadonlySet<string>>()
  private answeredAt = Number.NEGATIVE_INFINITY
  private isAnswering = false
  private tally = { heard: 0, ignored: 0, malformed: 0 }

  constructor(deps: LanDeps) {
    this.deps = deps
    this.keys = new LanKeys(deps.primitives, deps.identity)
    this.announcer = new Announcer({ ...deps, keys: this.keys, deviceKey: deps.identity.deviceKey })
  }

  async start(): Promise<void> {
    await this.deps.discovery.start({
      announcements: (address) => this.announce(address),
      named: (address) => this.named(address),
      heard: (bytes, from) => this.heard(bytes, from),
    })
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.deps.discovery.stop()
  }

  counts(): LanCounts {
    return this.tally
  }

  /** Devices of strangers who show themselves to everybody, heard lately. */
  nearby(): readonly DeviceId[] {
    const since = this.deps.clock.monotonic() - NEARBY_MS
    return [...this.strangers].flatMap(([device, at]) => (at >= since ? [device] : []))
  }

  private announce(address: string): readonly Uint8Array[] {
    const said = this.announcer.announcements(address)
    remember(this.own, { key: address, value: new Set(said.map(hex.encode)), most: MAX_OWN })
    return said
  }

  /** Link-local IPv6 is left out: to others it means nothing without the name that they have for the link. */
  private named(address: string): string | null {
    if (this.deps.visibility() !== 'everyone' || address.startsWith('fe80:')) return null
    const place = addressOf(this.deps.ports(), { address, zone: null })
    return place === undefined ? null : `${place}/p2p/${this.deps.identity.device}`
  }

  private heard(bytes: Uint8Array, from: LanSource): void {
    if (!this.hearing.admits(from.address, this.deps.clock.monotonic())) {
      this.tally.ignored += 1
      return
    }
    // The network brings back what we say.
    if (this.own.get(from.address)?.has(hex.encode(bytes))) return
    this.tally.heard += 1
    try {
      const announcement = decodeLanAnnouncement(bytes)
      if (this.isTimely(announcement)) this.take(bytes, { announcement, from })
    } catch {
      // Anybody on the network can send anything; there is nobody to hold to account.
      this.tally.malformed += 1
    }
  }

  private isTimely({ epoch }: LanAnnouncementFields): boolean {
    return Math.abs(epoch - this.deps.clock.now() / EPOCH_MS) <= MAX_EPOCHS_OFF
  }

  private take(bytes: Uint8Array, { announcement, from }: { announcement: LanAnnouncementFields; from: LanSource }): void {
    const device = this.recognise(announcement, from.address)
    if (device === this.deps.identity.device) return
    this.noteNewcomer(bytes, from.address)
    const place = addressOf(announcement, from)
    if (place !== undefined) this.deps.onPlace?.(place)
    if (device === undefined) return
    const isContact = this.deps.contacts().some((each) => each.device === device)
    // Tags are bound to the address; a key is shown by whoever likes.
    if (isContact && announcement.deviceKey === null) this.hearing.recognise(from.address)
    if (!isContact) remember(this.strangers, { key: device, value: this.deps.clock.monotonic(), most: MAX_NEARBY })
    else if (place !== undefined) void this.meet(device, place)
  }

  /** Whose announcement it is, if we can know it. */
  private recognise({ deviceKey, tags, ...place }: LanAnnouncementFields, address: string): DeviceId | undefined {
    if (deviceKey !== null) return deviceIdFromKey(deviceKey)
    const message = tagMessage({ ...place, address })
    const shown = new Set(tags.map(hex.encode))
    const peer = this.keys
      .of(this.deps.contacts())
      .find(({ incoming }) => shown.has(hex.encode(makeTag(this.deps.primitives, incoming, message))))
    return peer?.device
  }

  /** One of the two dials, so that there are not two connections; the other does so if nothing comes of it. */
  private async meet(device: DeviceId, address: string): Promise<void> {
    const { identity, clock } = this.deps
    const first = identity.device < device
    if (!first && !(await clock.sleep(YIELD_MS, { signal: this.stopping.signal }))) return
    this.deps.onSeen(device, [address])
  }

  /** Somebody who has just come, or has started anew and says something else, knows of us at once. */
  private noteNewcomer(bytes: Uint8Array, address: string): void {
    const now = this.deps.clock.monotonic()
    const key = `${address} ${hex.encode(this.deps.primitives.sha256(bytes))}`
    const before = this.newcomers.get(key)
    remember(this.newcomers, { key, value: now, most: MAX_NEWCOMERS })
    if (before === undefined || now - before >= NEARBY_MS) void this.answer()
  }

  private async answer(): Promise<void> {
    if (this.isAnswering) return
    this.isAnswering = true
    const { clock, discovery } = this.deps
    const wait = Math.max(0, this.answeredAt + ANSWER_EVERY_MS - clock.monotonic())
    if (wait === 0 || (await clock.sleep(wait, { signal: this.stopping.signal }))) {
      this.answeredAt = clock.monotonic()
      discovery.hurry()
    }
    this.isAnswering = false
  }
}

/** Puts an entry last; the oldest of `most` makes room. */
function remember<K, V>(map: Map<K, V>, { key, value, most }: { readonly key: K; readonly value: V; readonly most: number }): void {
  map.delete(key)
  const [oldest] = map.keys()
  if (map.size >= most && oldest !== undefined) map.delete(oldest)
  map.set(key, value)
}

/** Where the sender can be dialled: at the address that the network gives, never at one that it names (LD5). */
function addressOf({ tcp4, tcp6 }: ListeningPorts, { address, zone }: LanSource): string | undefined {
  if (!address.includes(':')) return tcp4 === 0 ? undefined : `/ip4/${address}/tcp/${tcp4}`
  if (tcp6 === 0) return undefined
  return zone === null ? `/ip6/${address}/tcp/${tcp6}` : `/ip6zone/${zone}/ip6/${address}/tcp/${tcp6}`
}
