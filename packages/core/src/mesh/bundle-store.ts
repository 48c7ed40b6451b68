import type { BundleKey, HeldBundle, MeshAddress } from './bundle.ts'

/** Where copies wait. Iterates in the order in which they came. */
export interface BundleStore {
  readonly size: number
  /** Bytes in use, as `charge` counts them. */
  readonly usedBytes: number
  readonly capacityBytes: number
  /** What a bundle of so many bytes takes of the room. */
  charge(bytes: number): number
  get(key: BundleKey): HeldBundle | undefined
  has(key: BundleKey): boolean
  /** Keeps a copy; what is held already is replaced. */
  put(bundle: HeldBundle): void
  /** Forgets a copy and says whether there was one. */
  remove(key: BundleKey): boolean
  all(): Iterable<HeldBundle>
  /**
   * The copies of which one goes when there is no room for `bytes` more.
   * @param from the neighbour that brings them; empty for what is made here
   */
  yielding(from: string, bytes: number): Iterable<HeldBundle>
  /** Copies behind one cure lock. */
  locked(lock: string): readonly HeldBundle[]
  /** Copies for any of these addresses, in the order in which they came. */
  to(addresses: ReadonlySet<MeshAddress>): readonly HeldBundle[]
}

/** A store that lives as long as the process. */
export class MemoryBundleStore implements BundleStore {
  readonly capacityBytes: number
  private readonly bundles = new Map<BundleKey, HeldBundle>()
  private readonly byLock = new Map<string, Set<HeldBundle>>()
  private readonly byAddress = new Map<MeshAddress, Map<BundleKey, number>>()
  private readonly leastCharge: number
  private puts = 0
  private used = 0

  /** @param leastCharge what the smallest bundle counts for: each takes memory beside its bytes */
  constructor(capacityBytes: number, leastCharge = 0) {
    this.capacityBytes = capacityBytes
    this.leastCharge = leastCharge
  }

  charge(bytes: number): number {
    return Math.max(bytes, this.leastCharge)
  }

  get size(): number {
    return this.bundles.size
  }

  get usedBytes(): number {
    return this.used
  }

  get(key: BundleKey): HeldBundle | undefined {
    return this.bundles.get(key)
  }

  has(key: BundleKey): boolean {
    return this.bundles.has(key)
  }

  put(bundle: HeldBundle): void {
    this.remove(bundle.key)
    this.bundles.set(bundle.key, bundle)
    this.byLock.set(bundle.lock, (this.byLock.get(bundle.lock) ?? new Set()).add(bundle))
    this.byAddress.set(bundle.address, (this.byAddress.get(bundle.address) ?? new Map()).set(bundle.key, this.puts++))
    this.used += this.charge(bundle.bytes)
  }

  remove(key: BundleKey): boolean {
    const held = this.bundles.get(key)
    if (held === undefined) return false
    this.used -= this.charge(held.bytes)
    const same = this.byLock.get(held.lock)
    if (same?.delete(held) && same.size === 0) this.byLock.delete(held.lock)
    const there = this.byAddress.get(held.address)
    if (there?.delete(key) && there.size === 0) this.byAddress.delete(held.address)
    return this.bundles.delete(key)
  }

  all(): Iterable<HeldBundle> {
    return this.bundles.values()
  }

  /** It knows nothing of where they come from. */
  yielding(_from: string, _bytes: number): Iterable<HeldBundle> {
    return this.all()
  }

  locked(lock: string): readonly HeldBundle[] {
    return [...(this.byLock.get(lock) ?? [])]
  }

  to(addresses: ReadonlySet<MeshAddress>): readonly HeldBundle[] {
    // Whoever claims to be everybody costs no more than a look at all there is.
    const isFew = addresses.size <= this.byAddress.size
    const there = isFew ? [...addresses] : [...this.byAddress.keys()].filter((address) => addresses.has(address))
    const found = there.flatMap((address) => [...(this.byAddress.get(address) ?? [])]).sort((one, other) => one[1] - other[1])
    return found.map(([key]) => this.bundles.get(key)).filter((held) => held !== undefined)
  }
}
