/** Compression before sealing (EP20 to EP22): text only, one message at a time, with both ways out of the box bounded. */
import { SkeinError } from '../errors/index.ts'
import type { Compression } from '../ports/compression.ts'
import { decodePayload, encodePayload } from '../wire/sealed.ts'

/** Below this compression gains less than a padding class and costs more time than sealing. */
const MIN_BYTES = 256
/** Most that a payload may expand to, bytes. */
export const MAX_EXPANDED_BYTES = 1_048_576
/** Most that a payload may expand by: DEFLATE reaches 1,032, honest text stays below 20. */
export const MAX_RATIO = 100

export function packPayload({ deflate }: Compression, content: Uint8Array): Uint8Array {
  if (content.length < MIN_BYTES) return encodePayload({ kind: 'plain', bytes: content })
  const deflated = deflate(content)
  // A sender must not make what its own receiver would refuse.
  const pays = deflated.length < content.length && content.length <= deflated.length * MAX_RATIO
  return encodePayload(pays ? { kind: 'deflated', bytes: deflated } : { kind: 'plain', bytes: content })
}

/** @throws SkeinError BAD_FRAME, EXPANDS_TOO_FAR */
export function unpackPayload(compression: Compression, bytes: Uint8Array): Uint8Array {
  const body = decodePayload(bytes)
  return body.kind === 'plain' ? body.bytes : inflateBounded(compression, body.bytes)
}

function inflateBounded({ inflate }: Compression, deflated: Uint8Array): Uint8Array {
  const expanded = orDamaged(() => inflate(deflated, Math.min(MAX_EXPANDED_BYTES, deflated.length * MAX_RATIO)))
  if (expanded === undefined) throw new SkeinError('EXPANDS_TOO_FAR', 'A message expands beyond the limit.')
  return expanded
}

function orDamaged<T>(inflate: () => T): T {
  try {
    return inflate()
  } catch (cause) {
    throw new SkeinError('BAD_FRAME', 'A compressed message is damaged.', { cause })
  }
}
