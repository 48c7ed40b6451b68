/** Compression before sealing (EP20 to EP22): text only, one message at a time, with both ways out of the box bounded. */
import { deflateSync, inflateSync } from 'fflate'
import { SkeinError } from '../errors/index.ts'
import { decodePayload, encodePayload } from '../wire/sealed.ts'

/** Below this compression gains less than a padding class and costs more time than sealing. */
const MIN_BYTES = 256
/** Most that a payload may expand to, bytes. */
export const MAX_EXPANDED_BYTES = 1_048_576
/** Most that a payload may expand by: DEFLATE reaches 1,032, honest text stays below 20. */
export const MAX_RATIO = 100

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
  // A buffer of our own size: the decompressor never asks for more, and what does not fit shows by filling the last byte.
  const expanded = inflate(deflated, new Uint8Array(most + 1))
  if (expanded.length > most) throw new SkeinError('EXPANDS_TOO_FAR', 'A message expands beyond the limit.')
  return expanded.slice()
}

function inflate(deflated: Uint8Array, out: Uint8Array): Uint8Array {
  try {
    return inflateSync(deflated, { out })
  } catch (cause) {
    throw new SkeinError('BAD_FRAME', 'A compressed message is damaged.', { cause })
  }
}
