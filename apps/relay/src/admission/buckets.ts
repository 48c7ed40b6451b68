/** Token buckets by key: so many at once, so many a second after that. Bounded: made-up keys push out the longest unused. */

/** Keys remembered; one entry is some 100 bytes. */
const MAX_KEYS = 65_536

export interface BucketRate {
  readonly perSecond: number
  readonly burst: number
}

interface Bucket {
  left: number
  at: number
}

export class Buckets {
  readonly #buckets = new Map<string, Bucket>()
  /** Monotonic milliseconds. */
  readonly #now: () => number
  readonly #most: number

  constructor(now: () => number, most = MAX_KEYS) {
    this.#now = now
    this.#most = most
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one, if there is one. */
  take(key: string, { perSecond, burst }: BucketRate): boolean {
    const now = this.#now()
    const bucket = this.#buckets.get(key) ?? { left: burst, at: now }
    // A clock that jumps back takes nothing away.
    const refilled = Math.min(burst, bucket.left + (Math.max(0, now - bucket.at) / 1_000) * perSecond)
    const isFree = refilled >= 1
    this.#buckets.delete(key)
    this.#buckets.set(key, { left: isFree ? refilled - 1 : refilled, at: now })
    const oldest = this.#buckets.size > this.#most ? this.#buckets.keys().next().value : undefined
    if (oldest !== undefined) this.#buckets.delete(oldest)
    return isFree
  }
}
