/** Places of members at the relay: who may be reached through it, and until when. Small, as there may be thousands. */

export interface Place {
  /** Address of the member, as the rules count it. */
  readonly address: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export interface PlacesOptions {
  readonly now: () => number
  /** How long a place is held without a refresh, ms. */
  readonly ttlMs: number
}

export class Places {
  readonly #now: () => number
  readonly #ttlMs: number
  readonly #held = new Map<string, Place>()

  constructor({ now, ttlMs }: PlacesOptions) {
    this.#now = now
    this.#ttlMs = ttlMs
  }

  get size(): number {
    return this.#held.size
  }

  /** Gives or renews the place of `peer`. */
  take(peer: string, address: string): Place {
    const place = { address, expiresAt: this.#now() + this.#ttlMs }
    this.#held.set(peer, place)
    return place
  }

  /** The place of `peer`, unless it has ended. */
  get(peer: string): Place | undefined {
    const place = this.#held.get(peer)
    if (place === undefined || place.expiresAt > this.#now()) return place
    this.#held.delete(peer)
    return undefined
  }

  /** @returns the place that was given up */
  release(peer: string): Place | undefined {
    const place = this.#held.get(peer)
    this.#held.delete(peer)
    return place
  }

  /** Removes places that have ended. @returns how many */
  sweep(): number {
    const before = this.#held.size
    for (const peer of [...this.#held.keys()]) this.get(peer)
    return before - this.#held.size
  }

  peers(): IterableIterator<string> {
    return this.#held.keys()
  }

  clear(): void {
    this.#held.clear()
  }
}
