/**
 * HPKE (RFC 9180) from the library `hpke`, fed with the primitives of a backend instead of WebCrypto, which a page on
 * `http://<LAN address>` lacks. Only what the library asks of a suite is written here: DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256 and ChaCha20-Poly1305 in the shape of its interfaces.
 */
import { type AEAD, CipherSuite, concat, encode, I2OSP, type KDF, type KEM, type Key, LabeledExpand, LabeledExtract } from 'hpke'
import type { HpkeContext, Primitives } from '../ports/primitives.ts'
import { hkdfExpand } from './primitives-hmac.ts'

/** What a suite is built from; `freshSecret` gives 32 random bytes for each sealing. */
export interface HpkeParts extends Pick<Primitives, 'x25519' | 'x25519PublicKey' | 'hmacSha256' | 'aeadSeal' | 'aeadOpen'> {
  freshSecret(): Uint8Array
}

interface RawKey extends Key {
  readonly bytes: Uint8Array
}

const KEM_NAME = 'DHKEM(X25519, HKDF-SHA256)'
const KEM_ID = 0x0020
/** Encapsulated key in front of the ciphertext, in bytes. */
const ENC_BYTES = 32
const TAG_BYTES = 16
const EMPTY = new Uint8Array()
/** "KEM" and the KEM's number (RFC 9180, section 4.1). */
const KEM_SUITE = concat(encode('KEM'), I2OSP(KEM_ID, 2))

function rawKey(type: 'private' | 'public', bytes: Uint8Array): RawKey {
  return { algorithm: { name: KEM_NAME }, extractable: true, type, bytes }
}

function hkdf({ hmacSha256 }: HpkeParts): KDF {
  return {
    id: 0x0001,
    type: 'KDF',
    name: 'HKDF-SHA256',
    Nh: 32,
    stages: 2,
    Extract: async (salt, ikm) => hmacSha256(salt, ikm),
    // Alone, as the façade's HKDF extracts as well, which HPKE does separately.
    Expand: async (prk, info, bytes) => hkdfExpand(hmacSha256, prk, { info, bytes }),
    Derive: async () => Promise.reject(new Error('HKDF has two stages')),
  }
}

function chacha({ aeadSeal, aeadOpen }: HpkeParts): AEAD {
  return {
    id: 0x0003,
    type: 'AEAD',
    name: 'ChaCha20Poly1305',
    Nk: 32,
    Nn: 12,
    Nt: TAG_BYTES,
    Seal: async (key, nonce, associated, plaintext) => aeadSeal(key, nonce, plaintext, associated),
    Open: async (key, nonce, associated, sealed) => {
      const plaintext = aeadOpen(key, nonce, sealed, associated)
      if (plaintext === null) throw new Error('the tag does not fit')
      return plaintext
    },
  }
}

/** The KEM's operations (RFC 9180, section 4.1). */
function agreement(parts: HpkeParts, kdf: KDF): Pick<KEM<RawKey>, 'DeriveKeyPair' | 'GenerateKeyPair' | 'Encap' | 'Decap'> {
  const shared = async (dh: Uint8Array | null, enc: Uint8Array, recipient: Uint8Array): Promise<Uint8Array> => {
    if (dh === null) throw new Error('the other key contributes nothing')
    const secret = await LabeledExtract(kdf, KEM_SUITE, EMPTY, encode('eae_prk'), dh)
    return LabeledExpand(kdf, KEM_SUITE, secret, encode('shared_secret'), concat(enc, recipient), 32)
  }
  const pair = (secret: Uint8Array) => ({
    privateKey: rawKey('private', secret),
    publicKey: rawKey('public', parts.x25519PublicKey(secret)),
  })
  return {
    DeriveKeyPair: async (ikm) => {
      const secret = await LabeledExtract(kdf, KEM_SUITE, EMPTY, encode('dkp_prk'), ikm)
      return pair(await LabeledExpand(kdf, KEM_SUITE, secret, encode('sk'), EMPTY, 32))
    },
    GenerateKeyPair: async () => pair(parts.freshSecret()),
    Encap: async ({ bytes }) => {
      const secret = parts.freshSecret()
      const enc = parts.x25519PublicKey(secret)
      return { enc, shared_secret: await shared(parts.x25519(secret, bytes), enc, bytes) }
    },
    Decap: async (enc, own, ownPublic) => shared(parts.x25519(own.bytes, enc), enc, ownPublic?.bytes ?? parts.x25519PublicKey(own.bytes)),
  }
}

function dhkem(parts: HpkeParts): KEM<RawKey> {
  return {
    id: KEM_ID,
    type: 'KEM',
    name: KEM_NAME,
    Nsecret: 32,
    Nenc: ENC_BYTES,
    Npk: 32,
    Nsk: 32,
    ...agreement(parts, hkdf(parts)),
    SerializePublicKey: async (key) => key.bytes,
    SerializePrivateKey: async (key) => key.bytes,
    DeserializePublicKey: async (bytes) => rawKey('public', bytes),
    DeserializePrivateKey: async (bytes) => rawKey('private', bytes),
  }
}

/** The suite 0x0020, 0x0001, 0x0003 on a backend: all of HPKE that the library offers, for tests against its vectors. */
export function hpkeSuite(parts: HpkeParts): CipherSuite {
  return new CipherSuite(
    () => dhkem(parts),
    () => hkdf(parts),
    () => chacha(parts),
  )
}

async function seal(
  suite: CipherSuite,
  { publicKey, plaintext, info, associated }: HpkeContext & { publicKey: Uint8Array; plaintext: Uint8Array },
) {
  const recipient = await suite.DeserializePublicKey(publicKey)
  const { encapsulatedSecret, ciphertext } = await suite.Seal(recipient, plaintext, { info, aad: associated })
  return concat(encapsulatedSecret, ciphertext)
}

async function open(suite: CipherSuite, { secret, sealed, info, associated }: HpkeContext & { secret: Uint8Array; sealed: Uint8Array }) {
  if (sealed.length < ENC_BYTES + TAG_BYTES) return null
  try {
    const own = await suite.DeserializePrivateKey(secret)
    return await suite.Open(own, sealed.subarray(0, ENC_BYTES), sealed.subarray(ENC_BYTES), { info, aad: associated })
  } catch {
    return null
  }
}

/** The façade's two HPKE methods on a backend; sealing rejects for a recipient's key of low order or wrong length. */
export function hpkeOn(parts: HpkeParts): Pick<Primitives, 'hpkeSeal' | 'hpkeOpen'> {
  const suite = hpkeSuite(parts)
  return {
    hpkeSeal: (publicKey, plaintext, context) => seal(suite, { publicKey, plaintext, ...context }),
    hpkeOpen: (secret, sealed, context) => open(suite, { secret, sealed, ...context }),
  }
}
