/**
 * Delivery tags (ET1 to ET4): what stands on an envelope instead of a name. The first 16 bytes of SHA-256 of a fetch
 * public key that only the recipient can sign with; one per sending account, recipient device and UTC day.
 */
import type { Primitives } from '../ports/primitives.ts'
import type { HandoverFields } from '../wire/handover.ts'
import { DELIVERY_TAG_BYTES } from '../wire/sealed.ts'
import { concat } from './key-derivation.ts'

const MS_PER_DAY = 86_400_000
/** Days of tags that a contact holds ahead: longer than mail lives, so that who is away for a month can still be written to. */
export const TAG_DAYS_AHEAD = 40
const INFO = new TextEncoder().encode('skein fetch key v1')
const SECRET_INFO = new TextEncoder().encode('skein fetch secret v1')

export function dayOf(ms: number): number {
  return Math.floor(ms / MS_PER_DAY)
}

export interface TagScope {
  /** Digest of the sending account, or of an invite's secret for whoever is invited; 32 bytes. */
  readonly sender: Uint8Array
  /** Days since 1970, UTC. */
  readonly day: number
}

/** Ed25519 seed of the fetch key of one sender and day. `fetchSecret` 32 bytes, known to the recipient device alone. */
export function fetchSeed(primitives: Primitives, fetchSecret: Uint8Array, { sender, day }: TagScope): Uint8Array {
  const number = new Uint8Array(4)
  new DataView(number.buffer).setUint32(0, day)
  return primitives.hkdfSha256(fetchSecret, sender, concat(INFO, number), 32)
}

export function tagOfFetchKey(primitives: Primitives, fetchKey: Uint8Array): Uint8Array {
  return primitives.sha256(fetchKey).slice(0, DELIVERY_TAG_BYTES)
}

export function deliveryTag(primitives: Primitives, fetchSecret: Uint8Array, scope: TagScope): Uint8Array {
  return tagOfFetchKey(primitives, primitives.ed25519PublicKey(fetchSeed(primitives, fetchSecret, scope)))
}

/** The secret behind all fetch keys of a device: made from its seed, so that there is one secret less to keep. 32 bytes. */
export function fetchSecretOf(primitives: Primitives, deviceSeed: Uint8Array): Uint8Array {
  return primitives.hkdfSha256(deviceSeed, new Uint8Array(), SECRET_INFO, 32)
}

/** The tag for mail that is left at `now`; `undefined` when those that were handed out have run out. */
export function depositTag(
  { firstDay, deliveryTags }: Pick<HandoverFields, 'firstDay' | 'deliveryTags'>,
  now: number,
): Uint8Array | undefined {
  // A clock that is behind uses the first, rather than none.
  const at = Math.max(0, dayOf(now) - firstDay) * DELIVERY_TAG_BYTES
  return at < deliveryTags.length ? deliveryTags.slice(at, at + DELIVERY_TAG_BYTES) : undefined
}

/** Tags for `TAG_DAYS_AHEAD` days from `day` on, one after the other. */
export function tagsAhead(primitives: Primitives, fetchSecret: Uint8Array, { sender, day }: TagScope): readonly Uint8Array[] {
  return Array.from({ length: TAG_DAYS_AHEAD }, (_, ahead) => deliveryTag(primitives, fetchSecret, { sender, day: day + ahead }))
}
