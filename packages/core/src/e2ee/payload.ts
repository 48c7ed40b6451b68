/** Compression before sealing (EP20 to EP22): text only, one message at a time, with both ways out of the box bounded. */
import { deflateSync, Inflate } from 'fflate'
import { SkeinError } from '../errors/index.ts'
import { decodePayload, encodePayload } from '../wire/sealed.ts'

/** Below this compression does not pay for its header. */
const MIN_BYTES = 128
/** Most that a payload may expand to, bytes. */
export const MAX_EXPANDED_BYTES = 1_048_576
/** Most that a payload may expand by: DEFLATE reaches 1,032, honest text stays below 20. */
export const MAX_RATIO = 100
/** Fed to the decompressor at once: the bounds are checked between pieces, a piece of zeros expands at most a thousandfold. */
const PIECE_BYTES = 512

export function packPayload(content: Uint8Array): Uint8Array {
  if (content.length < MIN_BYTES) return encodePayload({ kind: 'plain', bytes: content })
  const deflated = deflateSync(content, { level: 6 })
  // A sender must not make what its own receiver would refuse.
  const pays = deflated.length < content.length && content.length <= deflated.length * MAX_RATIO
  return encodePayload(pays ? { kind: 'deflated', bytes: deflated } : { kind: 'plain', bytes: content })
}

/** @throws SkeinError BAD_FRAME, EXPANDS_TOO_FAR */
export function unpackPayload(bytes: Uint8Array): Uint8Array {
  const body = decodePayload(bytes)
  return body.kind === 'plain' ? body.bytes : inflateBounded(body.bytes)
}

function inflateBounded(deflated: Uint8Array): Uint8Array {
  const most = Math.min(MAX_EXPANDED_BYTES, deflated.length * MAX_RATIO)
  const pieces: Uint8Array[] = []
  let length = 0
  const inflate = new Inflate((piece) => {
    length += piece.length
    if (length > most) throw new SkeinError('EXPANDS_TOO_FAR', 'A message expands beyond the limit.')
    pieces.push(piece)
  })
  feed(inflate, deflated)
  return joined(pieces, length)
}

function feed(inflate: Inflate, deflated: Uint8Array): void {
  try {
    for (let at = 0; at < deflated.length; at += PIECE_BYTES) {
      inflate.push(deflated.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= deflated.length)
    }
  } catch (cause) {
    if (cause instanceof SkeinError) throw cause
    throw new SkeinError('BAD_FRAME', 'A compressed message is damaged.', { cause })
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
