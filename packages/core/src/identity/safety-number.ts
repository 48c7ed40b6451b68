import { SkeinError } from '../errors/index.ts'
import type { Primitives } from '../ports/primitives.ts'

/** Iterations of the fingerprint hash: makes the search for a near-collision 2^12 times dearer (as the Signal protocol does). */
const ITERATIONS = 4_096
const GROUPS_EACH = 6
const DIGITS = 5

/** 30 digits of one account key: six groups of five digits, each five bytes of an iterated SHA-256 modulo 100,000. */
function fingerprint(primitives: Primitives, accountKey: Uint8Array): string {
  let hash = primitives.sha256(Uint8Array.of(...new TextEncoder().encode('skein safety number v1'), ...accountKey))
  for (let round = 0; round < ITERATIONS; round += 1) hash = primitives.sha256(Uint8Array.of(...hash, ...accountKey))
  const groups = Array.from({ length: GROUPS_EACH }, (_, group) => {
    const value = hash.subarray(group * 5, group * 5 + 5).reduce((sum, byte) => sum * 256 + byte, 0)
    return String(value % 10 ** DIGITS).padStart(DIGITS, '0')
  })
  return groups.join(' ')
}

/** 60 digits in twelve groups, the same on both sides, that two people compare (ID10). */
export function safetyNumber(primitives: Primitives, ours: Uint8Array, theirs: Uint8Array): string {
  return [fingerprint(primitives, ours), fingerprint(primitives, theirs)].sort().join(' ')
}

/** Compares digits alone, however they are grouped. @throws SkeinError SAFETY_NUMBER_DIFFERS */
export function requireSameNumber(ours: string, given: string): void {
  if (given.replace(/\D/g, '') === ours.replace(/\D/g, '')) return
  throw new SkeinError(
    'SAFETY_NUMBER_DIFFERS',
    'These are not the digits of your safety number: if they were copied right, somebody is between you.',
  )
}
