/** The real clock, and the real random source of Node.js. */
import { randomFillSync } from 'node:crypto'
import type { Random } from '@skein/core'

export { systemClock } from './clock.ts'

/** Drawn at once: a call into the system costs thirty times what handing out 16 bytes does. */
const POOL_BYTES = 4_096
const pool = new Uint8Array(POOL_BYTES)
let used = POOL_BYTES

function randomBytes(count: number): Uint8Array {
  if (count > POOL_BYTES / 4) return randomFillSync(new Uint8Array(count))
  if (used + count > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = pool.slice(used, used + count)
  // What was handed out may have become a key: no second copy of it stays here.
  pool.fill(0, used, used + count)
  used += count
  return bytes
}

export const systemRandom: Random = {
  bytes: randomBytes,
  uniform: () => Math.random(),
}
