/** What sessions, envelopes and signatures compute with, in plain JavaScript: all of a page that only sends messages. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import type { Primitives } from '../ports/primitives.ts'
import { type HpkeParts, hpkeOn } from './hpke.ts'
import { strictEd25519Verify } from './primitives-ed25519.ts'
import { hkdfSha256, hmacSha256 } from './primitives-hmac.ts'

/** All but what only files (AES-GCM) and passwords (Argon2id) need: 6.7 KB compressed that no message uses. */
export type MessagePrimitives = Omit<Primitives, 'aesGcmSeal' | 'aesGcmOpen' | 'argon2id'>

/** What the libraries report by throwing, the port reports by `null`. */
export function orNull<T>(compute: () => T): T | null {
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

const shared: Omit<HpkeParts, 'freshSecret'> = {
  x25519PublicKey: (secret) => x25519.getPublicKey(secret),
  // The library throws for keys of low order and of wrong length, and so for an all-zero output.
  x25519: (secret, publicKey) => orNull(() => x25519.getSharedSecret(secret, publicKey)),
  hmacSha256,
  aeadSeal: (key, nonce, plaintext, associated) => chacha20poly1305(key, nonce, associated).encrypt(plaintext),
  aeadOpen: (key, nonce, sealed, associated) => orNull(() => chacha20poly1305(key, nonce, associated).decrypt(sealed)),
}

export const messagePrimitives: MessagePrimitives = {
  ...shared,
  ...hpkeOn({ ...shared, freshSecret: () => x25519.utils.randomSecretKey() }),
  ed25519PublicKey: (seed) => ed25519.getPublicKey(seed),
  ed25519Sign: (message, seed) => ed25519.sign(message, seed),
  ed25519Verify: strictEd25519Verify,
  sha256: (message) => sha256(message),
  sha256Stream: () => {
    const hash = sha256.create()
    return { update: (part) => void hash.update(part), digest: () => hash.digest() }
  },
  sha512: (message) => sha512(message),
  hkdfSha256,
  mlKemPublicKey: (seed) => ml_kem768.keygen(seed).publicKey,
  mlKemEncapsulate,
  mlKemDecapsulate,
}
