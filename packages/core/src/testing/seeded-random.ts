import type { Random } from '../ports/random.ts'

/** Repeatable randomness for tests (mulberry32, Tommy Ettinger: 2^32 states); never for keys that matter. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { uniform: next, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256)) }
}
