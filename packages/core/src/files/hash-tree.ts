/** The hash tree over chunks (FI10): Merkle Tree Hash of RFC 9162, section 2.1.1, on SHA-256. */
import type { Primitives } from '../ports/primitives.ts'

type Hashing = Pick<Primitives, 'sha256' | 'sha256Stream'>

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

export const LEAF_BYTES = 32

/** Hash of one chunk. */
export function leafHash({ sha256Stream }: Hashing, chunk: Uint8Array): Uint8Array {
  const hash = sha256Stream()
  hash.update(LEAF)
  hash.update(chunk)
  return hash.digest()
}

/** @param leaves hashes of all chunks, 32 bytes each */
export function rootOf(hashing: Hashing, leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return hashing.sha256(new Uint8Array())
  return nodeOf(hashing, { leaves, from: 0, to: leaves.length })
}

interface Span {
  readonly leaves: readonly Uint8Array[]
  readonly from: number
  readonly to: number
}

function nodeOf(hashing: Hashing, { leaves, from, to }: Span): Uint8Array {
  const only = leaves[from]
  if (to - from === 1 && only !== undefined) return only
  const middle = from + largestPowerBelow(to - from)
  const hash = hashing.sha256Stream()
  hash.update(NODE)
  hash.update(nodeOf(hashing, { leaves, from, to: middle }))
  hash.update(nodeOf(hashing, { leaves, from: middle, to }))
  return hash.digest()
}

function largestPowerBelow(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}
