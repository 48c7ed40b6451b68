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
  /** When it is as full as one that is not there. */
  fullAt: number
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
    const bucket = this.#buckets.get(key) ?? { left: burst, at: now, fullAt: now }
    // A clock that jumps back takes nothing away.
    const refilled = Math.min(burst, bucket.left + (Math.max(0, now - bucket.at) / 1_000) * perSecond)
    const isFree = refilled >= 1
    const left = isFree ? refilled - 1 : refilled
    this.#buckets.delete(key)
    this.#buckets.set(key, { left, at: now, fullAt: now + ((burst - left) / perSecond) * 1_000 })
    this.#forget(now)
    return isFree
  }

  /** Of the longest unused those that are full again, two at a time, so that they vanish faster than they come. */
  #forget(now: number): void {
    let looks = 0
    for (const [key, { fullAt }] of this.#buckets) {
      if (looks++ === 2) return
      if (fullAt <= now || this.#buckets.size > this.#most) this.#buckets.delete(key)
    }
  }
}
