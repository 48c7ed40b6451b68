/** ML-KEM-768 of node:crypto, which Node.js has since 24.7 when its OpenSSL is 3.5 or newer. */
import crypto, { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { noblePrimitives, type Primitives } from '@skein/core'

type MlKem = Pick<Primitives, 'mlKemPublicKey' | 'mlKemEncapsulate' | 'mlKemDecapsulate'>

/** PKCS #8 header of a key that is kept as its seed (RFC 9935, section 6). */
const PKCS8_SEED = Buffer.from('3054020100300b060960864801650304040204428040', 'hex')
const SEED_BYTES = 64
const PUBLIC_BYTES = 1_184
const CIPHERTEXT_BYTES = 1_088

function privateKey(seed: Uint8Array): KeyObject {
  if (seed.length !== SEED_BYTES) throw new RangeError(`an ML-KEM seed has ${SEED_BYTES} bytes`)
  const der = Buffer.concat([PKCS8_SEED, seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  return key
}

function isNative(): boolean {
  if ((crypto.decapsulate as typeof crypto.decapsulate | undefined) === undefined) return false
  try {
    return privateKey(new Uint8Array(SEED_BYTES)).asymmetricKeyType === 'ml-kem-768'
  } catch {
    return false
  }
}

function publicKey(seed: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(spki.subarray(-PUBLIC_BYTES))
}

function decapsulate(ciphertext: Uint8Array, seed: Uint8Array): Uint8Array | null {
  const key = privateKey(seed)
  return ciphertext.length === CIPHERTEXT_BYTES ? new Uint8Array(crypto.decapsulate(key, ciphertext)) : null
}

/** Native where this Node.js has it. Encapsulation never is: node:crypto draws its own coins, the port passes them. */
export function nativeMlKem(): MlKem {
  const { mlKemEncapsulate, mlKemPublicKey, mlKemDecapsulate } = noblePrimitives
  if (!isNative()) return { mlKemEncapsulate, mlKemPublicKey, mlKemDecapsulate }
  return { mlKemEncapsulate, mlKemPublicKey: publicKey, mlKemDecapsulate: decapsulate }
}
