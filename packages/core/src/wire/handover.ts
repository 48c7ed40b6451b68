/** What a device hands to one contact alone: delivery tags for the days ahead, and a one-time prekey. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode, exactly } from './codec.ts'
import { Handover, InviteCard } from './gen/skein_pb.ts'
import { MAX_TAGS } from './limits.ts'
import { DELIVERY_TAG_BYTES } from './sealed.ts'
import { type SignedBytes, signedOf } from './signed.ts'

export interface OneTimePrekey {
  /** 32 bits, not 0. */
  readonly id: number
  /** X25519, 32 bytes. */
  readonly key: Uint8Array
}

export interface HandoverFields {
  /** UTC day of the first tag, since 1970. */
  readonly firstDay: number
  /** 16 bytes for each day, one after the other; at most `MAX_TAGS`. */
  readonly deliveryTags: Uint8Array
  readonly oneTime: OneTimePrekey | undefined
}

export interface InviteCardFields {
  readonly card: SignedBytes
  readonly handover: HandoverFields | undefined
}

export function handoverMessage({ firstDay, deliveryTags, oneTime }: HandoverFields): Handover {
  return { firstDay, deliveryTags, oneTimeId: oneTime?.id ?? 0, oneTimeKey: oneTime?.key ?? new Uint8Array() }
}

/** @throws SkeinError BAD_FRAME */
export function handoverOf(message: Handover | undefined): HandoverFields | undefined {
  if (message === undefined) return undefined
  const { firstDay, deliveryTags, oneTimeId, oneTimeKey } = message
  if (deliveryTags.length % DELIVERY_TAG_BYTES !== 0 || deliveryTags.length > MAX_TAGS * DELIVERY_TAG_BYTES)
    throw new SkeinError('BAD_FRAME', 'Delivery tags have the wrong length.')
  if (oneTimeId === 0) exactly(oneTimeKey, 0)
  return { firstDay, deliveryTags, oneTime: oneTimeId === 0 ? undefined : { id: oneTimeId, key: exactly(oneTimeKey, 32) } }
}

export function encodeHandover(handover: HandoverFields): Uint8Array {
  return encode(Handover, handoverMessage(handover))
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeHandover(bytes: Uint8Array): HandoverFields | undefined {
  return bytes.length === 0 ? undefined : handoverOf(decode(Handover, bytes))
}

export function encodeInviteCard({ card, handover }: InviteCardFields): Uint8Array {
  return encode(InviteCard, { card, handover: handover === undefined ? undefined : handoverMessage(handover) })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeInviteCard(bytes: Uint8Array): InviteCardFields {
  const { card, handover } = decode(InviteCard, bytes)
  return { card: signedOf(card), handover: handoverOf(handover) }
}
