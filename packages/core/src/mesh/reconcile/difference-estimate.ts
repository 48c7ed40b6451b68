/**
 * How many keys two sets do not share, by the "tug of war" sketch (Alon, Matias, Szegedy 1999): every key pulls each of
 * 32 counters up or down; the squares of the counters' differences are, on average, the size of the difference.
 */
import { PULL_BYTES } from '../../wire/mesh.ts'
import { checkOf, type KeyHalves } from './coded-symbols.ts'

/** The counters of a set, modulo 256. */
export function pulls(keys: Iterable<KeyHalves>, salt: number): Uint8Array {
  const counters = new Uint8Array(PULL_BYTES)
  for (const key of keys) {
    const directions = checkOf({ high: key.low, low: key.high }, salt)
    for (let at = 0; at < PULL_BYTES; at += 1) counters[at] = (counters[at] ?? 0) + ((directions >>> at) & 1 ? 1 : -1)
  }
  return counters
}

/** @param ours and `theirs`: counters of the two sets under one salt */
export function estimatedDifference(ours: Uint8Array, theirs: Uint8Array): number {
  let squares = 0
  for (const [at, count] of ours.entries()) {
    const apart = (count - (theirs[at] ?? 0)) & 0xff
    squares += (apart > 127 ? apart - 256 : apart) ** 2
  }
  return squares / PULL_BYTES
}
