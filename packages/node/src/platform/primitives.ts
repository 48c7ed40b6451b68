/** Core's primitives on node:crypto: the same bytes as the portable ones, about nine times faster. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { Primitives } from '@skein/core'

/** PKCS #8 and SPKI headers of 32-byte Ed25519 and X25519 keys (RFC 8410, section 7 and 4). */
const PKCS8 = { ed25519: '302e020100300506032b657004220420', x25519: '302e020100300506032b656e04220420' } as const
const SPKI_ED25519 = '302a300506032b6570032100'
/** Parsed keys kept: parsing costs more than verifying; contacts and neighbours recur. */
const MAX_KEYS = 256
const TAG_BYTES = 16

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

function privateKey(kind: 'ed25519' | 'x25519', secret: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from(PKCS8[kind], 'hex'), secret])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

function signingKey(seed: Uint8Array): KeyObject {
  // Named by a digest: the cache's keys must not be the secrets themselves.
  const name = `private ${createHash('sha256').update(seed).digest('base64')}`
  return remembered(name, () => privateKey('ed25519', seed))
}

function verifyingKey(publicKey: Uint8Array): KeyObject {
  const raw = Buffer.from(publicKey)
  return remembered(`public ${raw.toString('base64')}`, () =>
    createPublicKey({ key: Buffer.concat([Buffer.from(SPKI_ED25519, 'hex'), raw]), format: 'der', type: 'spki' }),
  )
}

function rawPublic(key: KeyObject): Uint8Array {
  return bytes(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32))
}

/** A plain Uint8Array of its own memory: a Buffer may be a window into a shared pool. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}

function ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return signature.length === 64 && publicKey.length === 32 && verify(null, message, verifyingKey(publicKey), signature)
  } catch {
    return false
  }
}

function aeadSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(associated, { plaintextLength: plaintext.length })
  return bytes(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]))
}

function aeadOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | null {
  if (sealed.length < TAG_BYTES) return null
  try {
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(associated, { plaintextLength: sealed.length - TAG_BYTES })
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    return bytes(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]))
  } catch {
    return null
  }
}

export const nativePrimitives: Primitives = {
  ed25519PublicKey: (seed) => rawPublic(signingKey(seed)),
  ed25519Sign: (message, seed) => bytes(sign(null, message, signingKey(seed))),
  ed25519Verify,
  x25519PublicKey: (secret) => rawPublic(privateKey('x25519', secret)),
  sha256: (message) => bytes(createHash('sha256').update(message).digest()),
  hmacSha256: (key, message) => bytes(createHmac('sha256', key).update(message).digest()),
  hkdfSha256: (key, salt, info, length) => new Uint8Array(hkdfSync('sha256', key, salt, info, length)),
  aeadSeal,
  aeadOpen,
}
