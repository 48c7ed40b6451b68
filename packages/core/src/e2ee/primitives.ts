import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Primitives } from '../ports/primitives.ts'

function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    // Strict RFC 8032: the laxer ZIP-215 rules would accept signatures that node:crypto refuses.
    return ed25519.verify(signature, message, publicKey, { zip215: false })
  } catch {
    return false
  }
}

function aeadOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  { sealed, associated }: { sealed: Uint8Array; associated: Uint8Array },
): Uint8Array | null {
  try {
    return chacha20poly1305(key, nonce, associated).decrypt(sealed)
  } catch {
    return null
  }
}

/** Primitives in plain JavaScript: run everywhere, also on a page that has no `crypto.subtle`. */
export const noblePrimitives: Primitives = {
  ed25519PublicKey: (seed) => ed25519.getPublicKey(seed),
  ed25519Sign: (message, seed) => ed25519.sign(message, seed),
  ed25519Verify: verify,
  x25519PublicKey: (secret) => x25519.getPublicKey(secret),
  sha256: (message) => sha256(message),
  hmacSha256: (key, message) => hmac(sha256, key, message),
  hkdfSha256: (key, salt, info, bytes) => hkdf(sha256, key, salt, info, bytes),
  aeadSeal: (key, nonce, plaintext, associated) => chacha20poly1305(key, nonce, associated).encrypt(plaintext),
  aeadOpen: (key, nonce, sealed, associated) => aeadOpen(key, nonce, { sealed, associated }),
}
