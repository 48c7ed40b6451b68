import type { BundleHeader, BundleKey } from './bundle.ts'

/** A transfer to here that broke off. */
export interface Partial {
  readonly header: BundleHeader
  /** Bytes from the beginning that are here. */
  readonly bytes: number
}

/** Broken-off transfers kept at once (ME10). */
export const MAX_PARTIALS = 64
/** Largest share of the store that they may take (ME10). */
const PARTIAL_SHARE = 0.25

/** Beginnings of bundles, so that whoever has one may go on where another broke off. The longest untouched goes first. */
export class PartialBook {
  private readonly partials = new Map<BundleKey, Partial>()
  private readonly capacity: number
  private used = 0

  constructor(storeBytes: number) {
    this.capacity = storeBytes * PARTIAL_SHARE
  }

  get usedBytes(): number {
    return this.used
  }

  bytes(key: BundleKey): number {
    return this.partials.get(key)?.bytes ?? 0
  }

  keep(header: BundleHeader, bytes: number): void {
    const whole = Math.min(bytes, header.bytes)
    if (whole < 1 || whole > this.capacity || whole < this.bytes(header.key)) return
    this.drop(header.key)
    this.partials.set(header.key, { header, bytes: whole })
    this.used += whole
    while (this.used > this.capacity || this.partials.size > MAX_PARTIALS) this.dropOldest()
  }

  drop(key: BundleKey): void {
    this.used -= this.bytes(key)
    this.partials.delete(key)
  }

  /** Makes room; returns whether there was anything to drop. */
  dropOldest(): boolean {
    const [key] = this.partials.keys()
    if (key === undefined) return false
    this.drop(key)
    return true
  }

  all(): Iterable<Partial> {
    return this.partials.values()
  }
}
