/** Bundles on the wire, and the frames in which neighbours pass them on. */
import { hex } from '@scure/base'
import { SkeinError } from '../errors/index.ts'
import { decode, decodeCanonical, encode, exactly } from './codec.ts'
import { Bundle, type BundleOffer, type BundlePart, BundleTransfer, CarryFile, NeighbourFrame } from './gen/mesh_pb.ts'
import { BUNDLE_KEY_BYTES, CURE_KEY_BYTES } from './mesh.ts'
import { DELIVERY_TAG_BYTES } from './sealed.ts'

export const BUNDLE_VERSION = 1
/** Largest frame between neighbours, in bytes (ME18): a chunk of 256 KiB with its framing. */
export const MAX_NEIGHBOUR_FRAME_BYTES = 278_528
const KINDS = ['envelope', 'piece', 'chunk'] as const
/** Of parts of files: everything else goes before them (ME27). */
export const CHUNK_PRIORITY = 0
/** What belongs to a file and goes like a message, with all around it, in bytes (ME27). */
export const MAX_SMALL_CHUNK_BYTES = 512
const OUTCOMES = ['taken', 'known', 'cured', 'late', 'no-room'] as const
const ANSWERS = [...OUTCOMES, 'welcome', 'damaged', 'busy'] as const
/** Bytes of one part of a large bundle at most (ME33). */
export const MAX_PART_BYTES = 16_384
const MAX_PRIORITY = 2
const BUNDLE_ID_BYTES = 32

/** What nothing on the way may change. */
export interface BundleFields {
  readonly kind: (typeof KINDS)[number]
  /** 16 bytes. */
  readonly deliveryTag: Uint8Array
  /** Hours since 1970. */
  readonly expiryHour: number
  /** 16 bytes. */
  readonly cureLock: Uint8Array
  readonly priority: 0 | 1 | 2
  readonly sealed: Uint8Array
}

export interface TransferFields {
  /** Encoded bundle. */
  readonly bundle: Uint8Array
  readonly hops: number
  readonly hopLimit: number
  readonly copies: number
}

/** As `TransferFields`, before the bundle itself. */
export interface OfferFields extends Omit<TransferFields, 'bundle'> {
  /** Hex, 64 digits. */
  readonly id: string
  /** Length of the encoded bundle. */
  readonly bytes: number
  /** What it says of itself, without what is sealed. */
  readonly head: Omit<BundleFields, 'sealed'>
}

export interface PartFields {
  /** Hex, 16 digits. */
  readonly key: string
  readonly offset: number
  readonly part: Uint8Array
}

export type TransferOutcome = (typeof OUTCOMES)[number]
export type TransferAnswer = (typeof ANSWERS)[number]

export type NeighbourFrameFields =
  | { readonly kind: 'control' | 'route'; readonly frame: Uint8Array }
  | { readonly kind: 'transfer'; readonly transfer: TransferFields }
  /** `key`: hex, 16 digits. */
  | { readonly kind: 'offer'; readonly offer: OfferFields }
  | { readonly kind: 'part'; readonly part: PartFields }
  | { readonly kind: 'answer'; readonly key: string; readonly outcome: TransferAnswer; readonly offset?: number }
  | { readonly kind: 'alive' }

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodeBundle({ kind, deliveryTag, expiryHour, cureLock, priority, sealed }: BundleFields): Uint8Array {
  const fields = { version: BUNDLE_VERSION, kind: KINDS.indexOf(kind), deliveryTag, expiryHour, cureLock, priority, sealed }
  return encode(Bundle, fields, MAX_NEIGHBOUR_FRAME_BYTES)
}

/** @throws SkeinError BAD_FRAME, also for another version or encoding; FRAME_TOO_LARGE */
export function decodeBundle(bytes: Uint8Array): BundleFields {
  const { version, kind, deliveryTag, expiryHour, cureLock, priority, sealed } = decodeCanonical(Bundle, bytes, MAX_NEIGHBOUR_FRAME_BYTES)
  const known = KINDS[kind]
  if (version !== BUNDLE_VERSION || known === undefined || priority > MAX_PRIORITY)
    throw new SkeinError('BAD_FRAME', 'A bundle is of an unknown kind.')
  if (known === 'chunk' && priority !== CHUNK_PRIORITY && sealed.length > MAX_SMALL_CHUNK_BYTES)
    throw new SkeinError('BAD_FRAME', 'Part of a file claims to be more urgent than it is.')
  return {
    kind: known,
    deliveryTag: exactly(deliveryTag, DELIVERY_TAG_BYTES),
    expiryHour,
    cureLock: exactly(cureLock, CURE_KEY_BYTES),
    priority: priority as BundleFields['priority'],
    sealed,
  }
}

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodeNeighbourFrame(frame: NeighbourFrameFields): Uint8Array {
  return encode(NeighbourFrame, { body: bodyOf(frame) }, MAX_NEIGHBOUR_FRAME_BYTES)
}

function bodyOf(frame: NeighbourFrameFields): NeighbourFrame['body'] {
  if (frame.kind === 'transfer') return { $case: 'transfer', value: frame.transfer }
  if (frame.kind === 'alive') return { $case: 'alive', value: {} }
  if (frame.kind === 'offer') return { $case: 'offer', value: offerOf(frame.offer) }
  if (frame.kind === 'part') return { $case: 'part', value: { ...frame.part, key: hex.decode(frame.part.key) } }
  if (frame.kind !== 'answer') return { $case: frame.kind, value: frame.frame }
  const { key, outcome, offset = 0 } = frame
  return { $case: 'answer', value: { key: hex.decode(key), outcome: ANSWERS.indexOf(outcome), offset } }
}

function offerOf({ id, head, ...counts }: OfferFields): BundleOffer {
  return { id: hex.decode(id), head: encodeBundle({ ...head, sealed: new Uint8Array() }), ...counts }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeNeighbourFrame(bytes: Uint8Array): NeighbourFrameFields {
  const { body } = decode(NeighbourFrame, bytes, MAX_NEIGHBOUR_FRAME_BYTES)
  if (body?.$case === 'transfer') return { kind: 'transfer', transfer: body.value }
  if (body?.$case === 'control' || body?.$case === 'route') return { kind: body.$case, frame: body.value }
  if (body?.$case === 'alive') return { kind: 'alive' }
  if (body?.$case === 'offer') return { kind: 'offer', offer: soundOffer(body.value) }
  if (body?.$case === 'part') return { kind: 'part', part: soundPart(body.value) }
  const outcome = body === undefined ? undefined : ANSWERS[body.value.outcome]
  if (body === undefined || outcome === undefined) throw new SkeinError('BAD_FRAME', 'A frame between neighbours is of an unknown kind.')
  const { key, offset } = body.value
  const named = { kind: 'answer', key: hex.encode(exactly(key, BUNDLE_KEY_BYTES)), outcome } as const
  return outcome === 'welcome' ? { ...named, offset } : named
}

function soundOffer({ id, bytes, head, hops, hopLimit, copies }: BundleOffer): OfferFields {
  if (bytes < 1 || bytes > MAX_NEIGHBOUR_FRAME_BYTES)
    throw new SkeinError('BAD_FRAME', 'A bundle is offered that is larger than any may be.')
  const { sealed, ...fields } = decodeBundle(head)
  if (sealed.length > 0) throw new SkeinError('BAD_FRAME', 'An offer holds more than what a bundle says of itself.')
  return { id: hex.encode(exactly(id, BUNDLE_ID_BYTES)), bytes, head: fields, hops, hopLimit, copies }
}

function soundPart({ key, offset, part }: BundlePart): PartFields {
  if (part.length < 1 || part.length > MAX_PART_BYTES) throw new SkeinError('BAD_FRAME', 'Part of a bundle is empty or too large.')
  return { key: hex.encode(exactly(key, BUNDLE_KEY_BYTES)), offset, part }
}

const CARRY_FILE_VERSION = 1
/** Largest file of carried bundles, in bytes (ME25): all that one node keeps, and framing. */
export const MAX_CARRY_FILE_BYTES = 68 * 1_048_576

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodeTransfer(transfer: TransferFields): Uint8Array {
  return encode(BundleTransfer, transfer, MAX_NEIGHBOUR_FRAME_BYTES)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeTransfer(bytes: Uint8Array): TransferFields {
  return decode(BundleTransfer, bytes, MAX_NEIGHBOUR_FRAME_BYTES)
}

/** @param transfers encoded @throws SkeinError FRAME_TOO_LARGE */
export function encodeCarryFile(transfers: readonly Uint8Array[]): Uint8Array {
  return encode(CarryFile, { version: CARRY_FILE_VERSION, transfers: [...transfers] }, MAX_CARRY_FILE_BYTES)
}

/** @returns encoded transfers @throws SkeinError BAD_FRAME, also for another version; FRAME_TOO_LARGE */
export function decodeCarryFile(bytes: Uint8Array): readonly Uint8Array[] {
  const { version, transfers } = decode(CarryFile, bytes, MAX_CARRY_FILE_BYTES)
  if (version !== CARRY_FILE_VERSION) throw new SkeinError('BAD_FRAME', 'This is no file of carried messages, or one of another version.')
  return transfers
}
