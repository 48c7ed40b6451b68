/** Which records a relay's DHT keeps, and whose room they take: who leaves too many pushes out its own (RL30). */
import type { ShareBounds } from '@skein/core'

/** Names under which the one who left a record is counted: its address, and the network of that. */
export type Groups = readonly string[]

/** A key of the datastore. */
interface RecordName {
  toString(): string
}

interface Kept<Name> {
  readonly name: Name
  readonly groups: Groups
  /** When it was left last, monotonic ms. */
  readonly at: number
}

/** A record that nobody has left again for so long goes, ms: accounts publish theirs at least once a day. */
const RECORD_LIFE_MS = 48 * 3_600_000

export class DhtShelf<Name extends RecordName> {
  /** The one left longest ago first, as in each group. */
  readonly #records = new Map<string, Kept<Name>>()
  readonly #groups = new Map<string, Set<string>>()
  readonly #bounds: () => Omit<ShareBounds, 'connection'>
  readonly #now: () => number

  constructor(bounds: () => Omit<ShareBounds, 'connection'>, now: () => number) {
    this.#bounds = bounds
    this.#now = now
  }

  get size(): number {
    return this.#records.size
  }

  /** A record has been left. @returns names of those that go for it */
  put(name: Name, groups: Groups): Name[] {
    const key = name.toString()
    this.#remove(key)
    this.#records.set(key, { name, groups, at: this.#now() })
    for (const group of groups) this.#groups.set(group, (this.#groups.get(group) ?? new Set()).add(key))
    const { address, network, total } = this.#bounds()
    const gone: Name[] = []
    for (const [at, most] of [address, network].entries())
      while (this.#sizeOf(groups[at]) > most) gone.push(...this.#dropOldest(groups[at]))
    while (this.#records.size > total) gone.push(...this.#dropOldest(this.#largest()))
    return gone
  }

  /** @returns names of records that have not been left again for too long */
  expire(): Name[] {
    const before = this.#now() - RECORD_LIFE_MS
    const gone: Name[] = []
    for (const [key, { at }] of this.#records) {
      if (at > before) break
      gone.push(...this.#remove(key))
    }
    return gone
  }

  #remove(key: string): Name[] {
    const kept = this.#records.get(key)
    if (kept === undefined) return []
    this.#records.delete(key)
    for (const group of kept.groups) {
      const those = this.#groups.get(group)
      those?.delete(key)
      if (those?.size === 0) this.#groups.delete(group)
    }
    return [kept.name]
  }

  #sizeOf(group: string | undefined): number {
    return group === undefined ? 0 : (this.#groups.get(group)?.size ?? 0)
  }

  /** Of a group, or of all. */
  #dropOldest(group: string | undefined): Name[] {
    const [oldest] = group === undefined ? this.#records.keys() : (this.#groups.get(group) ?? [])
    return oldest === undefined ? [] : this.#remove(oldest)
  }

  /** The network that has most: its oldest makes room. `undefined` where nobody is counted. */
  #largest(): string | undefined {
    let [most, name] = [0, undefined as string | undefined]
    for (const [group, { size }] of this.#groups) if (size >= most) [most, name] = [size, group]
    return name
  }
}
