import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { SkeinError } from '../errors/index.ts'
import { MAX_FRAME_BYTES } from './limits.ts'

/** Encodes a message of schema `schema`. @throws SkeinError FRAME_TOO_LARGE */
export function encode<S extends DescMessage>(schema: S, init: MessageInitShape<S>): Uint8Array {
  const bytes = toBinary(schema, create(schema, init))
  if (bytes.length > MAX_FRAME_BYTES)
    throw new SkeinError('FRAME_TOO_LARGE', 'This is too large for one frame.', { data: { bytes: bytes.length } })
  return bytes
}

/**
 * Parses bytes from outside. Allocates no more than a small multiple of `bytes.length`; unknown fields are ignored.
 * @throws SkeinError FRAME_TOO_LARGE, BAD_FRAME
 */
export function decode<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> {
  if (bytes.length > MAX_FRAME_BYTES)
    throw new SkeinError('FRAME_TOO_LARGE', 'A frame is larger than the limit.', { data: { bytes: bytes.length } })
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false })
  } catch (cause) {
    throw new SkeinError('BAD_FRAME', 'A frame cannot be parsed.', { cause })
  }
}

/**
 * Parses bytes that have only one form (WF8): another encoding of the same fields, or fields from elsewhere, is refused,
 * so that nobody on the way can make a second message out of a sealed one.
 * @throws SkeinError FRAME_TOO_LARGE, BAD_FRAME
 */
export function decodeCanonical<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> {
  const message = decode(schema, bytes)
  const again = toBinary(schema, message)
  if (again.length !== bytes.length || !again.every((byte, at) => bytes[at] === byte))
    throw new SkeinError('BAD_FRAME', 'A frame is not in its canonical form.')
  return message
}

/** @throws SkeinError BAD_FRAME unless `bytes` has exactly `length` bytes */
export function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new SkeinError('BAD_FRAME', 'A field has the wrong length.')
  return bytes
}

/** A 64-bit wire integer as a safe double. @throws SkeinError BAD_FRAME above 2^53 − 1 */
export function safeInteger(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new SkeinError('BAD_FRAME', 'A number is out of range.')
  return Number(value)
}

/** @throws SkeinError BAD_FRAME when `list` is longer than `most` */
export function atMost<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length > most) throw new SkeinError('BAD_FRAME', 'A list is longer than the limit.')
  return list
}
