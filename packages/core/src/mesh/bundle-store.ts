import type { BundleKey, HeldBundle } from './bundle.ts'

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
  /** Copies behind one cure lock. */
  locked(lock: string): readonly HeldBundle[]
}

/** A store that lives as long as the process. */
export class MemoryBundleStore implements BundleStore {
  readonly capacityBytes: number
  private readonly bundles = new Map<BundleKey, HeldBundle>()
  private readonly byLock = new Map<string, Set<HeldBundle>>()
  private readonly leastCharge: number
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
    this.used += this.charge(bundle.bytes)
  }

  remove(key: BundleKey): boolean {
    const held = this.bundles.get(key)
    if (held === undefined) return false
    this.used -= this.charge(held.bytes)
    const same = this.byLock.get(held.lock)
    if (same?.delete(held) && same.size === 0) this.byLock.delete(held.lock)
    return this.bundles.delete(key)
  }

  all(): Iterable<HeldBundle> {
    return this.bundles.values()
  }

  locked(lock: string): readonly HeldBundle[] {
    return [...(this.byLock.get(lock) ?? [])]
  }
}
