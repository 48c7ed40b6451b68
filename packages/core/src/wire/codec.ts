import { BinaryReader, BinaryWriter, getTextEncoding } from '@bufbuild/protobuf/wire'
import { SkeinError } from '../errors/index.ts'
import { MAX_FRAME_BYTES } from './limits.ts'

/** The generated functions of one kind of message. */
export interface MessageCodec<T> {
  encode(message: T, writer: BinaryWriter): BinaryWriter
  decode(input: BinaryReader): T
}

/** One for all frames, as making its buffer takes longer than writing; `finish` hands out a copy and begins anew. */
let writer = new BinaryWriter()

function written<T>(codec: MessageCodec<T>, message: T): Uint8Array {
  try {
    return codec.encode(message, writer).finish()
  } catch (error) {
    // What was written so far must not stand before the next frame.
    writer = new BinaryWriter()
    throw error
  }
}

/** @param most bytes @throws SkeinError FRAME_TOO_LARGE */
export function encode<T>(codec: MessageCodec<T>, message: T, most = MAX_FRAME_BYTES): Uint8Array {
  const bytes = written(codec, message)
  if (bytes.length > most) throw new SkeinError('FRAME_TOO_LARGE', 'This is too large for one frame.', { data: { bytes: bytes.length } })
  return bytes
}

/**
 * Parses bytes from outside. Allocates no more than a small multiple of `bytes.length`; unknown fields are ignored.
 * @throws SkeinError FRAME_TOO_LARGE, BAD_FRAME
 */
export function decode<T>(codec: MessageCodec<T>, bytes: Uint8Array, most = MAX_FRAME_BYTES): T {
  if (bytes.length > most) throw new SkeinError('FRAME_TOO_LARGE', 'A frame is larger than the limit.', { data: { bytes: bytes.length } })
  try {
    return codec.decode(new BinaryReader(bytes, strictUtf8))
  } catch (cause) {
    throw new SkeinError('BAD_FRAME', 'A frame cannot be parsed.', { cause })
  }
}

/** Text that is no UTF-8 is refused: replaced characters would make two frames out of one. */
function strictUtf8(bytes: Uint8Array): string {
  return getTextEncoding().decodeUtf8(bytes, true)
}

/**
 * Parses bytes that have only one form (WF8): another encoding of the same fields, or fields from elsewhere, is refused,
 * so that nobody on the way can make a second message out of a sealed one.
 * @throws SkeinError FRAME_TOO_LARGE, BAD_FRAME
 */
export function decodeCanonical<T>(codec: MessageCodec<T>, bytes: Uint8Array, most = MAX_FRAME_BYTES): T {
  const message = decode(codec, bytes, most)
  if (!sameBytes(written(codec, message), bytes)) throw new SkeinError('BAD_FRAME', 'A frame is not in its canonical form.')
  return message
}

/** @throws SkeinError BAD_FRAME unless `bytes` has exactly `length` bytes */
export function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new SkeinError('BAD_FRAME', 'A field has the wrong length.')
  return bytes
}

/** Whether two byte strings are equal. For public values and for tags that the AEAD behind them checks again. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false
  return true
}

/** @throws SkeinError BAD_FRAME when `list` is longer than `most` */
export function atMost<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length > most) throw new SkeinError('BAD_FRAME', 'A list is longer than the limit.')
  return list
}
