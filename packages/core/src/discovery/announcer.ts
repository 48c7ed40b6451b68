/** What this device says on a local network. */
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Visibility } from '../presence/index.ts'
import { encodeLanAnnouncement } from '../wire/lan.ts'
import { MAX_LAN_TAGS } from '../wire/limits.ts'
import { type LanKeys, type LanPeer, makeTag, tagMessage, type TagPlace } from './tags.ts'

/** Tags change this often (LD2), milliseconds: who walks past twice is not known again. */
export const EPOCH_MS = 900_000
/** The number of tags is a multiple of this (LD3), so that it does not tell how many contacts there are. */
const TAG_BLOCK = 16
/** Devices that are told of us; whoever comes after them may still tell us. */
export const MAX_LAN_CONTACTS = 8 * MAX_LAN_TAGS
/** For tags that mean nothing, bytes. */
const PADDING_KEY_BYTES = 32

export interface ListeningPorts {
  /** TCP port on IPv4, 0 for none. */
  readonly tcp4: number
  readonly tcp6: number
}

export interface AnnouncerDeps {
  readonly primitives: Pick<Primitives, 'hmacSha256'>
  readonly clock: Clock
  readonly random: Random
  readonly keys: LanKeys
  /** Ed25519 public key of this device. */
  readonly deviceKey: Uint8Array
  visibility(): Visibility
  /** Devices that are to recognise us. */
  contacts(): readonly LanPeer[]
  ports(): ListeningPorts
}

export class Announcer {
  private readonly deps: AnnouncerDeps
  private readonly paddingKey: Uint8Array

  constructor(deps: AnnouncerDeps) {
    this.deps = deps
    this.paddingKey = deps.random.bytes(PADDING_KEY_BYTES)
  }

  /** @param address ours, from which they are sent; none when there is nothing to say */
  announcements(address: string): readonly Uint8Array[] {
    const { clock, deviceKey } = this.deps
    const visibility = this.deps.visibility()
    const ports = this.deps.ports()
    if (visibility === 'nobody' || (ports.tcp4 === 0 && ports.tcp6 === 0)) return []
    const epoch = Math.floor(clock.now() / EPOCH_MS)
    if (visibility === 'everyone') return [encodeLanAnnouncement({ epoch, ...ports, tags: [], deviceKey })]
    return this.tags({ epoch, ...ports, address }).map((tags) => encodeLanAnnouncement({ epoch, ...ports, tags, deviceKey: null }))
  }

  /** Of all contacts and some of nobody, in the order of their bytes, which tells nothing; as many as fit together. */
  private tags(place: TagPlace): readonly (readonly Uint8Array[])[] {
    const { primitives, keys, contacts } = this.deps
    const message = tagMessage(place)
    const real = keys.of(contacts().slice(0, MAX_LAN_CONTACTS)).map(({ outgoing }) => makeTag(primitives, outgoing, message))
    const count = Math.max(TAG_BLOCK, Math.ceil(real.length / TAG_BLOCK) * TAG_BLOCK)
    // The same ones as long as the real ones stay, or they would be told apart.
    const padding = Array.from({ length: count - real.length }, (_, at) =>
      makeTag(primitives, this.paddingKey, tagMessage({ ...place, address: `${place.address} ${at}` })),
    )
    const all = [...real, ...padding].sort(byBytes)
    return Array.from({ length: Math.ceil(count / MAX_LAN_TAGS) }, (_, at) => all.slice(at * MAX_LAN_TAGS, (at + 1) * MAX_LAN_TAGS))
  }
}

function byBytes(left: Uint8Array, right: Uint8Array): number {
  const at = left.findIndex((byte, index) => byte !== right[index])
  return at === -1 ? 0 : (left[at] ?? 0) - (right[at] ?? 0)
}
