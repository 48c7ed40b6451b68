/**
 * All-or-nothing transform (Rivest 1997, as a package transform): the content is sealed under a random key, and the key
 * stands behind it, masked with the hash of all that was sealed. Whoever lacks any 16 bytes of the whole learns nothing
 * of the content.
 */
import type { Primitives, Random } from '../../ports/index.ts'

const KEY_BYTES = 32
const TAG_BYTES = 16
/** One key, one message: the nonce may be fixed. */
const NONCE = new Uint8Array(12)
const NOTHING = new Uint8Array()

/** How much longer the whole is than the content, in bytes. */
export const TRANSFORM_BYTES = KEY_BYTES + TAG_BYTES

type Tools = Pick<Primitives, 'sha256' | 'aeadSeal' | 'aeadOpen'>

export function transform(content: Uint8Array, primitives: Tools, random: Random): Uint8Array {
  const key = random.bytes(KEY_BYTES)
  const sealed = primitives.aeadSeal(key, NONCE, content, NOTHING)
  const whole = new Uint8Array(sealed.length + KEY_BYTES)
  whole.set(sealed)
  whole.set(masked(key, primitives.sha256(sealed)), sealed.length)
  return whole
}

/** `undefined` when a bit of the whole is not as it was. */
export function untransform(whole: Uint8Array, primitives: Tools): Uint8Array | undefined {
  if (whole.length < TRANSFORM_BYTES) return undefined
  const sealed = whole.subarray(0, whole.length - KEY_BYTES)
  const key = masked(whole.subarray(whole.length - KEY_BYTES), primitives.sha256(sealed))
  return primitives.aeadOpen(key, NONCE, sealed, NOTHING) ?? undefined
}

function masked(key: Uint8Array, mask: Uint8Array): Uint8Array {
  return key.map((byte, at) => byte ^ (mask[at] ?? 0))
}
