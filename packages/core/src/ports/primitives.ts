/**
 * Cryptographic primitives; backends are byte-equal, so that a faster one may be injected. Lengths of keys and nonces
 * are checked by the callers in `e2ee`; a method that gets another length may throw.
 */
export interface Primitives {
  /** @param seed 32 bytes; returns the public key, 32 bytes */
  ed25519PublicKey(seed: Uint8Array): Uint8Array
  /** Returns 64 bytes (RFC 8032). */
  ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array
  /** Strict RFC 8032 (canonical encodings, no small order), also of garbage: then false. */
  ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
  /** @param secret 32 bytes; returns the public key, 32 bytes (RFC 7748) */
  x25519PublicKey(secret: Uint8Array): Uint8Array
  /** Shared secret, 32 bytes (RFC 7748); `null` when the other side contributes nothing: a low-order or malformed key. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | null
  sha256(message: Uint8Array): Uint8Array
  /** SHA-256 of bytes that come one after the other. */
  sha256Stream(): HashStream
  sha512(message: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array
  /** RFC 5869; `bytes` from 0 to 8,160. */
  hkdfSha256(key: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Uint8Array
  /** ChaCha20-Poly1305 (RFC 8439); key 32 bytes, nonce 12 bytes; the tag is the last 16 bytes. */
  aeadSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Uint8Array
  /** `null` when the tag does not fit. */
  aeadOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | null
  /** AES-256-GCM (NIST SP 800-38D), for files; key 32 bytes, nonce 12 bytes; the tag is the last 16 bytes. */
  aesGcmSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Uint8Array
  /** `null` when the tag does not fit. */
  aesGcmOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | null
  /** ML-KEM-768 (FIPS 203), `seed` = d ‖ z, 64 bytes; the secret key that is kept is this seed. Returns 1,184 bytes. */
  mlKemPublicKey(seed: Uint8Array): Uint8Array
  /** `coins` 32 random bytes; ciphertext 1,088 bytes, shared secret 32; `null` for a key that FIPS 203 §7.2 refuses. */
  mlKemEncapsulate(publicKey: Uint8Array, coins: Uint8Array): { readonly ciphertext: Uint8Array; readonly shared: Uint8Array } | null
  /** Implicit rejection: a wrong ciphertext gives another secret; `null` only for one of wrong length. */
  mlKemDecapsulate(ciphertext: Uint8Array, seed: Uint8Array): Uint8Array | null
  /** HPKE base mode, single shot (RFC 9180 §6.1): X25519, HKDF-SHA-256, ChaCha20-Poly1305; returns enc (32 bytes) ‖ ciphertext. */
  hpkeSeal(publicKey: Uint8Array, plaintext: Uint8Array, context: HpkeContext): Promise<Uint8Array>
  /** `null` when it does not open. */
  hpkeOpen(secret: Uint8Array, sealed: Uint8Array, context: HpkeContext): Promise<Uint8Array | null>
  /** Argon2id, version 1.3 (RFC 9106). */
  argon2id(password: Uint8Array, salt: Uint8Array, cost: Argon2Cost): Promise<Uint8Array>
}

export interface HashStream {
  update(bytes: Uint8Array): void
  /** Ends it. */
  digest(): Uint8Array
}

export interface HpkeContext {
  readonly info: Uint8Array
  readonly associated: Uint8Array
}

export interface Argon2Cost {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  /** Length of the output. */
  readonly bytes: number
}
