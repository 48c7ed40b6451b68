/** Tags by which two contacts, and nobody else, recognise each other on a local network (LD2). */
import { type DeviceId, deviceKey } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import { LAN_TAG_BYTES } from '../wire/limits.ts'

/** A device whose X25519 key we know. */
export interface LanPeer {
  readonly device: DeviceId
  /** X25519 public key, 32 bytes. */
  readonly dhKey: Uint8Array
}

/** What a tag is bound to: nobody who has recorded it can use it from another address, port or time. */
export interface TagPlace {
  /** Quarter hours since 1970. */
  readonly epoch: number
  readonly tcp4: number
  readonly tcp6: number
  /** Of the announcing device, without a zone. */
  readonly address: string
}

type TagPrimitives = Pick<Primitives, 'x25519' | 'hkdfSha256' | 'hmacSha256'>

const LABEL = new TextEncoder().encode('skein lan v1\0')
const KEY_BYTES = 32

/** The bytes that a tag authenticates. */
export function tagMessage({ epoch, tcp4, tcp6, address }: TagPlace): Uint8Array {
  return new TextEncoder().encode(`${epoch}/${tcp4}/${tcp6}/${address}`)
}

export function makeTag(primitives: Pick<Primitives, 'hmacSha256'>, key: Uint8Array, message: Uint8Array): Uint8Array {
  return primitives.hmacSha256(key, message).subarray(0, LAN_TAG_BYTES)
}

export interface PairKeys {
  /** For tags that we announce and the peer recognises. */
  readonly outgoing: Uint8Array
  readonly incoming: Uint8Array
}

/** Keys shared with each peer, made once. One for each direction: equal tags of two devices would show that they are contacts. */
export class LanKeys {
  private readonly primitives: TagPrimitives
  private readonly own: { readonly deviceKey: Uint8Array; readonly dhSecret: Uint8Array }
  private known = new Map<DeviceId, PairKeys & LanPeer>()

  constructor(primitives: TagPrimitives, own: { readonly deviceKey: Uint8Array; readonly dhSecret: Uint8Array }) {
    this.primitives = primitives
    this.own = own
  }

  /** Keys of all `peers`, and no longer those of others; a peer whose key is worth nothing has none. */
  of(peers: readonly LanPeer[]): readonly (PairKeys & LanPeer)[] {
    const keys = peers.flatMap((peer) => this.one(peer) ?? [])
    this.known = new Map(keys.map((each) => [each.device, each]))
    return keys
  }

  private one({ device, dhKey }: LanPeer): (PairKeys & LanPeer) | undefined {
    const known = this.known.get(device)
    if (known?.dhKey === dhKey) return known
    const shared = this.primitives.x25519(this.own.dhSecret, dhKey)
    if (shared === null) return undefined
    return { device, dhKey, outgoing: this.derive(shared, this.own.deviceKey), incoming: this.derive(shared, deviceKey(device)) }
  }

  private derive(shared: Uint8Array, announcer: Uint8Array): Uint8Array {
    return this.primitives.hkdfSha256(shared, new Uint8Array(), Uint8Array.of(...LABEL, ...announcer), KEY_BYTES)
  }
}
