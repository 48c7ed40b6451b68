import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { argon2idAsync } from '@noble/hashes/argon2.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import type { Argon2Cost, Primitives } from '../ports/primitives.ts'
import { type HpkeParts, hpkeOn } from './hpke.ts'
import { strictEd25519Verify } from './primitives-ed25519.ts'
import { hmacSha256 } from './primitives-hmac.ts'

export { type HpkeParts, hpkeOn } from './hpke.ts'
export { isStrictEd25519Key } from './primitives-ed25519.ts'

const ARGON2_VERSION = 0x13

/** What the libraries report by throwing, this façade reports by `null`. */
function orNull<T>(compute: () => T): T | null {
  try {
    return compute()
  } catch {
    return null
  }
}

function mlKemEncapsulate(publicKey: Uint8Array, coins: Uint8Array) {
  return orNull(() => {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, coins)
    return { ciphertext: cipherText, shared: sharedSecret }
  })
}

function mlKemDecapsulate(ciphertext: Uint8Array, seed: Uint8Array): Uint8Array | null {
  const { secretKey } = ml_kem768.keygen(seed)
  const shared = orNull(() => ml_kem768.decapsulate(ciphertext, secretKey))
  secretKey.fill(0)
  return shared
}

function argon2id(password: Uint8Array, salt: Uint8Array, { memoryKib, passes, lanes, bytes }: Argon2Cost): Promise<Uint8Array> {
  return argon2idAsync(password, salt, { m: memoryKib, t: passes, p: lanes, dkLen: bytes, version: ARGON2_VERSION })
}

const shared: Omit<HpkeParts, 'freshSecret'> = {
  x25519PublicKey: (secret) => x25519.getPublicKey(secret),
  // The library throws for keys of low order and of wrong length, and so for an all-zero output.
  x25519: (secret, publicKey) => orNull(() => x25519.getSharedSecret(secret, publicKey)),
  hmacSha256,
  aeadSeal: (key, nonce, plaintext, associated) => chacha20poly1305(key, nonce, associated).encrypt(plaintext),
  aeadOpen: (key, nonce, sealed, associated) => orNull(() => chacha20poly1305(key, nonce, associated).decrypt(sealed)),
}

/** Primitives in plain JavaScript: run everywhere, also on a page that has no `crypto.subtle`. */
export const noblePrimitives: Primitives = {
  ...shared,
  ...hpkeOn({ ...shared, freshSecret: () => x25519.utils.randomSecretKey() }),
  ed25519PublicKey: (seed) => ed25519.getPublicKey(seed),
  ed25519Sign: (message, seed) => ed25519.sign(message, seed),
  ed25519Verify: strictEd25519Verify,
  sha256: (message) => sha256(message),
  sha512: (message) => sha512(message),
  hkdfSha256: (key, salt, info, bytes) => hkdf(sha256, key, salt, info, bytes),
  aesGcmSeal: (key, nonce, plaintext, associated) => gcm(key, nonce, associated).encrypt(plaintext),
  aesGcmOpen: (key, nonce, sealed, associated) => orNull(() => gcm(key, nonce, associated).decrypt(sealed)),
  mlKemPublicKey: (seed) => ml_kem768.keygen(seed).publicKey,
  mlKemEncapsulate,
  mlKemDecapsulate,
  argon2id,
}
