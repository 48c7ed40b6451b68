import { gcm } from '@noble/ciphers/aes.js'
import type { Argon2Cost, Primitives } from '../ports/primitives.ts'
import { messagePrimitives, orNull } from './primitives-messages.ts'

const ARGON2_VERSION = 0x13

/** Loaded when a password is first used, as few pages ever need it. */
async function argon2id(password: Uint8Array, salt: Uint8Array, { memoryKib, passes, lanes, bytes }: Argon2Cost): Promise<Uint8Array> {
  const { argon2idAsync } = await import('@noble/hashes/argon2.js')
  return argon2idAsync(password, salt, { m: memoryKib, t: passes, p: lanes, dkLen: bytes, version: ARGON2_VERSION })
}

/** All primitives in plain JavaScript: run everywhere, also on a page that has no `crypto.subtle`. */
export const noblePrimitives: Primitives = {
  ...messagePrimitives,
  aesGcmSeal: (key, nonce, plaintext, associated) => gcm(key, nonce, associated).encrypt(plaintext),
  aesGcmOpen: (key, nonce, sealed, associated) => orNull(() => gcm(key, nonce, associated).decrypt(sealed)),
  argon2id,
}
