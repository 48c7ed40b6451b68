/** Places of members at the relay: who may be reached through it, and until when. Small, as there may be thousands. */
import type { HeldPlaces, RelayRules } from './rules.ts'

export interface Place {
  /** Address of the member, as the rules count it. */
  readonly address: string
  /** Monotonic milliseconds: a clock that is set right ends nobody's place. */
  readonly expiresAt: number
}

export interface PlacesOptions {
  readonly groupsOf: RelayRules['groupsOf']
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** How long a place is held without a refresh, ms. */
  readonly ttlMs: number
}

export class Places {
  readonly #now: () => number
  readonly #ttlMs: number
  readonly #groupsOf: RelayRules['groupsOf']
  readonly #held = new Map<string, Place>()
  readonly #inGroup = new Map<string, number>()
  /** Since the start. */
  readonly changes = { begun: 0, renewed: 0, ended: 0 }

  constructor({ now, ttlMs, groupsOf }: PlacesOptions) {
    this.#now = now
    this.#groupsOf = groupsOf
    this.#ttlMs = ttlMs
  }

  get size(): number {
    return this.#held.size
  }

  /** Who holds one. */
  peers(): string[] {
    return [...this.#held.keys()]
  }

  /** Gives or renews the place of `peer`. */
  take(peer: string, address: string): Place {
    const isRenewed = this.get(peer) !== undefined
    this.#drop(peer)
    this.changes[isRenewed ? 'renewed' : 'begun'] += 1
    const place = { address, expiresAt: this.#now() + this.#ttlMs }
    this.#held.set(peer, place)
    this.#count(address, 1)
    return place
  }

  /** The place of `peer`, unless it has ended. */
  get(peer: string): Place | undefined {
    const place = this.#held.get(peer)
    if (place === undefined || place.expiresAt > this.#now()) return place
    this.release(peer)
    return undefined
  }

  /** How long a place lasts from now on, ms. */
  leftMs({ expiresAt }: Place): number {
    return expiresAt - this.#now()
  }

  release(peer: string): void {
    if (this.#drop(peer)) this.changes.ended += 1
  }

  /** What others than `peer` hold. */
  heldBeside(peer: string): HeldPlaces {
    const own = this.#held.get(peer)
    const ownGroups = own === undefined ? [] : this.#groupsOf(own.address)
    return {
      total: this.#held.size - (own === undefined ? 0 : 1),
      inGroup: (group) => (this.#inGroup.get(group) ?? 0) - (ownGroups.includes(group) ? 1 : 0),
    }
  }

  /** Removes places that have ended. @returns how many */
  sweep(): number {
    const before = this.#held.size
    for (const peer of [...this.#held.keys()]) this.get(peer)
    return before - this.#held.size
  }

  clear(): void {
    this.#held.clear()
    this.#inGroup.clear()
  }

  #drop(peer: string): boolean {
    const place = this.#held.get(peer)
    if (place === undefined) return false
    this.#held.delete(peer)
    this.#count(place.address, -1)
    return true
  }

  #count(address: string, change: 1 | -1): void {
    for (const group of this.#groupsOf(address)) {
      const count = (this.#inGroup.get(group) ?? 0) + change
      if (count > 0) this.#inGroup.set(group, count)
      else this.#inGroup.delete(group)
    }
  }
}
