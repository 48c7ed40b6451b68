/**
 * One meaning of «a valid Ed25519 signature» for every backend. Libraries differ about keys and points outside the
 * prime-order subgroup: with or without the cofactor, RFC 8032 allows both. Refusing such points makes them agree.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/** Verdicts kept: a check costs about a third of a verification, and the same contacts sign again and again. */
const MAX_VERDICTS = 256

const verdicts = new Map<string, boolean>()

function isPrimeOrder(encoded: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(encoded, false)
    return !point.is0() && point.isTorsionFree()
  } catch {
    return false
  }
}

/** Whether `publicKey` is the canonical encoding of a point of prime order: no other key verifies anything. */
export function isStrictEd25519Key(publicKey: Uint8Array): boolean {
  const name = bytesToHex(publicKey)
  const known = verdicts.get(name)
  if (known !== undefined) return known
  const oldest = verdicts.keys().next().value
  if (verdicts.size >= MAX_VERDICTS && oldest !== undefined) verdicts.delete(oldest)
  const verdict = isPrimeOrder(publicKey)
  verdicts.set(name, verdict)
  return verdict
}

function hasTorsion(signature: Uint8Array): boolean {
  return !ed25519.Point.fromBytes(signature.subarray(0, 32), false).isTorsionFree()
}

/** Strict verification; anything malformed is false. */
export function strictEd25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    // The library multiplies by the cofactor, node:crypto does not: only a torsion-free R means the same to both.
    return isStrictEd25519Key(publicKey) && ed25519.verify(signature, message, publicKey, { zip215: false }) && !hasTorsion(signature)
  } catch {
    return false
  }
}
