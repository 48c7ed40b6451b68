// Random numbers from a seed, so that a run can be repeated; never for keys.

/** mulberry32: a function that returns numbers in [0, 1). */
export function seeded(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Text that does not compress below three quarters of its length. */
export function randomText(random, bytes) {
  return Buffer.from(Array.from({ length: Math.ceil((bytes * 3) / 4) }, () => Math.floor(random() * 256)))
    .toString('base64')
    .slice(0, bytes)
}

/** A copy in random order. */
export function shuffled(random, list) {
  return list
    .map((value) => ({ value, key: random() }))
    .sort((left, right) => left.key - right.key)
    .map(({ value }) => value)
}
