import type { Random } from '../ports/random.ts'

export interface BackoffBounds {
  /** Milliseconds. */
  readonly first: number
  /** Milliseconds. */
  readonly most: number
}

/**
 * Wait before try number `attempts` + 1: exponential with full jitter over its upper half, so that many clients of one
 * restarted relay do not return at the same instant (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export function backoff(attempts: number, random: Random, { first, most }: BackoffBounds): number {
  const ceiling = Math.min(most, first * 2 ** Math.min(attempts, 30))
  return ceiling / 2 + random.uniform() * (ceiling / 2)
}
