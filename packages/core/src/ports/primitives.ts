/** Cryptographic primitives; backends are byte-equal, so that a faster one may be injected. */
export interface Primitives {
  /** @param seed 32 bytes; returns the public key, 32 bytes */
  ed25519PublicKey(seed: Uint8Array): Uint8Array
  /** Returns 64 bytes (RFC 8032). */
  ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array
  ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
  /** @param secret 32 bytes; returns the public key, 32 bytes (RFC 7748) */
  x25519PublicKey(secret: Uint8Array): Uint8Array
  sha256(message: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array
  /** RFC 5869. */
  hkdfSha256(key: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Uint8Array
  /** ChaCha20-Poly1305 (RFC 8439); key 32 bytes, nonce 12 bytes; the tag is the last 16 bytes. */
  aeadSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Uint8Array
  /** `null` when the tag does not fit. */
  aeadOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | null
}
