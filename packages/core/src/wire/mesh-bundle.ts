/** Bundles on the wire, and the frames in which neighbours pass them on. */
import { hex } from '@scure/base'
import { SkeinError } from '../errors/index.ts'
import { decode, decodeCanonical, encode, exactly } from './codec.ts'
import { Bundle, BundleTransfer, CarryFile, NeighbourFrame } from './gen/mesh_pb.ts'
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
const MAX_PRIORITY = 2

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

export type TransferOutcome = (typeof OUTCOMES)[number]

export type NeighbourFrameFields =
  | { readonly kind: 'control' | 'route'; readonly frame: Uint8Array }
  | { readonly kind: 'transfer'; readonly transfer: TransferFields }
  /** `key`: hex, 16 digits. */
  | { readonly kind: 'answer'; readonly key: string; readonly outcome: TransferOutcome }
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
  if (frame.kind !== 'answer') return { $case: frame.kind, value: frame.frame }
  return { $case: 'answer', value: { key: hex.decode(frame.key), outcome: OUTCOMES.indexOf(frame.outcome) } }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeNeighbourFrame(bytes: Uint8Array): NeighbourFrameFields {
  const { body } = decode(NeighbourFrame, bytes, MAX_NEIGHBOUR_FRAME_BYTES)
  if (body?.$case === 'transfer') return { kind: 'transfer', transfer: body.value }
  if (body?.$case === 'control' || body?.$case === 'route') return { kind: body.$case, frame: body.value }
  if (body?.$case === 'alive') return { kind: 'alive' }
  const outcome = body === undefined ? undefined : OUTCOMES[body.value.outcome]
  if (body === undefined || outcome === undefined) throw new SkeinError('BAD_FRAME', 'A frame between neighbours is of an unknown kind.')
  return { kind: 'answer', key: hex.encode(exactly(body.value.key, BUNDLE_KEY_BYTES)), outcome }
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
