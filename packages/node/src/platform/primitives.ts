/** Core's primitives on node:crypto: the same bytes as the portable ones, several times faster. */
import crypto, { createCipheriv, createDecipheriv, createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { type HpkeParts, hpkeOn, isStrictEd25519Key, noblePrimitives, type Primitives } from '@skein/core'
import { nativeHashes } from './native-hashes.ts'
import { nativeArgon2id } from './primitives-argon2.ts'
import { nativeMlKem } from './primitives-ml-kem.ts'

/** PKCS #8 headers of 32-byte secrets (RFC 8410, section 7). */
const PKCS8 = {
  Ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  X25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
}
/** Parsed keys kept: parsing costs more than verifying; contacts and neighbours recur. */
const MAX_KEYS = 256
const TAG_BYTES = 16
/** Longest `info` that node:crypto's HKDF takes, in bytes. */
const MAX_NATIVE_INFO = 1_024
/** Up to here the portable HMAC is quicker than making one of node:crypto's objects, in bytes of message. */
const MAX_PORTABLE_HMAC = 256

type Cipher = 'chacha20-poly1305' | 'aes-256-gcm'

const keys = new Map<string, KeyObject>()

function remembered(name: string, make: () => KeyObject): KeyObject {
  const known = keys.get(name)
  if (known !== undefined) return known
  const oldest = keys.keys().next().value
  if (keys.size >= MAX_KEYS && oldest !== undefined) keys.delete(oldest)
  const made = make()
  keys.set(name, made)
  return made
}

function privateKey(curve: 'Ed25519' | 'X25519', secret: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8[curve], secret])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  return key
}

function publicKeyOf(curve: 'Ed25519' | 'X25519', raw: Uint8Array): KeyObject {
  // As JWK, because node:crypto reads and writes that about ten times faster than SPKI.
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: Buffer.from(raw).toString('base64url') }, format: 'jwk' })
}

function signingKey(seed: Uint8Array): KeyObject {
  // Named by a digest: the cache's keys must not be the secrets themselves.
  return remembered(`private ${digest('sha256', seed).toString('base64')}`, () => privateKey('Ed25519', seed))
}

function verifyingKey(publicKey: Uint8Array): KeyObject {
  return remembered(`public ${Buffer.from(publicKey).toString('base64')}`, () => publicKeyOf('Ed25519', publicKey))
}

function rawPublic(key: KeyObject): Uint8Array {
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  return bytes(Buffer.from(x ?? '', 'base64url'))
}

/** A plain Uint8Array of its own memory: a Buffer may be a window into a shared pool. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

function digest(hash: 'sha256' | 'sha512', message: Uint8Array): Buffer {
  return crypto.hash(hash, message, 'buffer')
}

function ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  // OpenSSL checks S and R, but takes keys of small order and encodings that are not canonical.
  return isStrictEd25519Key(publicKey) && crypto.verify(null, message, verifyingKey(publicKey), signature)
}

/**
 * As `ed25519Verify`, for keys that are used once, at a tenth of the cost: also keys of small order verify here, and nothing is
 * remembered of the key. For where nobody is harmed by whoever chose such a key for themselves.
 */
export function verifyOwnChoice(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  try {
    return crypto.verify(null, message, publicKeyOf('Ed25519', publicKey), signature)
  } catch {
    return false
  }
}

/** Nothing is cached: ratchet keys are used once or twice, and parsing both keys costs less than the agreement. */
function x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
  if (publicKey.length !== 32 || secret.length !== 32) return null
  const own = privateKey('X25519', secret)
  try {
    return bytes(crypto.diffieHellman({ privateKey: own, publicKey: publicKeyOf('X25519', publicKey) }))
  } catch {
    // OpenSSL fails when the result is all zeros, as RFC 7748, section 6.1 recommends.
    return null
  }
}

function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  if (message.length <= MAX_PORTABLE_HMAC) return noblePrimitives.hmacSha256(key, message)
  return bytes(createHmac('sha256', key).update(message).digest())
}

function hkdfSha256(key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  // OpenSSL derives no empty output.
  if (length === 0 || info.length > MAX_NATIVE_INFO) return noblePrimitives.hkdfSha256(key, salt, info, length)
  return new Uint8Array(crypto.hkdfSync('sha256', key, salt, info, length))
}

function sealWith(name: Cipher): Primitives['aeadSeal'] {
  return (key, nonce, plaintext, associated) => {
    const cipher = createCipheriv(name as 'aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(associated)
    const body = cipher.update(plaintext)
    return joined(body, cipher.final(), cipher.getAuthTag())
  }
}

function openWith(name: Cipher): Primitives['aeadOpen'] {
  return (key, nonce, sealed, associated) => {
    if (sealed.length < TAG_BYTES) return null
    const decipher = createDecipheriv(name as 'aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(associated).setAuthTag(sealed.subarray(-TAG_BYTES))
    const body = decipher.update(sealed.subarray(0, -TAG_BYTES))
    try {
      return joined(body, decipher.final())
    } catch {
      return null
    }
  }
}

const shared: Omit<HpkeParts, 'freshSecret'> = {
  x25519PublicKey: (secret) => rawPublic(privateKey('X25519', secret)),
  x25519,
  hmacSha256,
  aeadSeal: sealWith('chacha20-poly1305'),
  aeadOpen: openWith('chacha20-poly1305'),
}

export const nativePrimitives: Primitives = {
  ...shared,
  ...hpkeOn({ ...shared, freshSecret: () => bytes(crypto.randomBytes(32)) }),
  ...nativeMlKem(),
  ed25519PublicKey: (seed) => rawPublic(signingKey(seed)),
  ed25519Sign: (message, seed) => bytes(crypto.sign(null, message, signingKey(seed))),
  ed25519Verify,
  ...nativeHashes,
  sha512: (message) => bytes(digest('sha512', message)),
  hkdfSha256,
  aesGcmSeal: sealWith('aes-256-gcm'),
  aesGcmOpen: openWith('aes-256-gcm'),
  argon2id: nativeArgon2id() ?? noblePrimitives.argon2id,
}
