import { type BundleKey, type HeldBundle, withinLimits } from '../bundle.ts'
import { MemoryBundleStore } from '../bundle-store.ts'
import type { BundleArchive } from './bundle-archive.ts'

/** A bundle counts for so many bytes at least (ME20): the smallest would be a million and a half, each an entry in memory and a row on disk. */
export const LEAST_CHARGE_BYTES = 2_048

/** Share of the room that one neighbour's bundles may take (ME20). */
export const NEIGHBOUR_SHARE = 0.25

/** Where what was made here comes from. */
const OWN = ''

/** An index in memory of what the archive holds; says what is to be removed there. Counts what each neighbour takes up. */
export class ArchivedStore extends MemoryBundleStore {
  private readonly gone: (key: BundleKey) => void
  private readonly sources = new Map<BundleKey, string>()
  private readonly usedBy = new Map<string, number>()
  /** Grows with everything that is put here. */
  additions = 0

  constructor(capacityBytes: number, gone: (key: BundleKey) => void) {
    super(capacityBytes, LEAST_CHARGE_BYTES)
    this.gone = gone
  }

  /** Takes up what an earlier run has left. */
  async load(archive: BundleArchive): Promise<readonly HeldBundle[]> {
    const bundles = await archive.bundles()
    for (const { from, ...held } of bundles) {
      this.expect(held.key, from)
      this.put(withinLimits(held))
    }
    return bundles
  }

  /** Names where a bundle comes from that is about to be put. */
  expect(key: BundleKey, from: string): void {
    this.sources.set(key, from)
  }

  /** A bundle that was expected has not been put. */
  forget(key: BundleKey): void {
    if (!this.has(key)) this.sources.delete(key)
  }

  /** The neighbour a bundle came from; empty where it was made. */
  sourceOf(key: BundleKey): string {
    return this.sources.get(key) ?? OWN
  }

  /** Bytes of what came from one neighbour, as `charge` counts them. */
  bytesFrom(from: string): number {
    return this.usedBy.get(from) ?? 0
  }

  /** Whether one neighbour may have a bundle of so many bytes more here. */
  hasRoomFrom(from: string, bytes: number): boolean {
    return this.bytesFrom(from) + this.charge(bytes) <= this.capacityBytes * NEIGHBOUR_SHARE
  }

  /**
   * Copies of whoever takes most, the newcomer counted with what it brings: who keeps to an equal share loses nothing to
   * others, however many bring however much. Own ones make room for own ones alone, and when there are no others (ME5).
   */
  override yielding(from: string, bytes: number): Iterable<HeldBundle> {
    let [who, most] = [from, 0]
    for (const [source, used] of this.usedBy) {
      const wanted = used + (source === from ? this.charge(bytes) : 0)
      if (source !== OWN && wanted > most) [who, most] = [source, wanted]
    }
    return this.of(who)
  }

  private *of(source: string): Iterable<HeldBundle> {
    for (const held of this.all()) if (this.sourceOf(held.key) === source) yield held
  }

  override put(bundle: HeldBundle): void {
    super.put(bundle)
    this.additions += 1
    this.count(bundle.key, this.charge(bundle.bytes))
  }

  override remove(key: BundleKey): boolean {
    const held = this.get(key)
    if (held === undefined) return false
    this.count(key, -this.charge(held.bytes))
    this.sources.delete(key)
    super.remove(key)
    this.gone(key)
    return true
  }

  private count(key: BundleKey, bytes: number): void {
    const from = this.sourceOf(key)
    const used = (this.usedBy.get(from) ?? 0) + bytes
    if (used > 0) this.usedBy.set(from, used)
    else this.usedBy.delete(from)
  }
}
