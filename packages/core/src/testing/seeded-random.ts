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
  const bytes = (count: number): Uint8Array => {
    const drawn = new Uint8Array(count)
    for (let at = 0; at < count; at += 1) drawn[at] = Math.floor(next() * 256)
    return drawn
  }
  return { uniform: next, bytes }
}
