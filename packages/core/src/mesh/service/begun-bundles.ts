import type { BundleHeader, BundleId, BundleKey } from '../bundle.ts'

/** Beginnings of bundles that are kept at once, and their bytes (ME33); the longest untouched of whoever has brought most goes first. */
export const MAX_BEGUN = 64
export const MAX_BEGUN_BYTES = 4 * 1_048_576
/** How long a beginning waits for its rest, in milliseconds (ME33). */
export const BEGUN_LIFE_MS = 86_400_000
/** Bundles remembered whose parts by several neighbours were not one (ME33). */
const MAX_SUSPECT = 1_024

/** A bundle of which some bytes are here. */
export interface Begun {
  /** As it was offered; true only when the whole is here and says so itself. */
  readonly header: BundleHeader
  readonly whole: Uint8Array
  /** Bytes from its beginning that are here. */
  length: number
  /** Neighbours that have brought any of them. */
  readonly sources: Set<string>
  touchedAt: number
}

/**
 * Beginnings of bundles whose transfer broke off, by bundle, so that whoever has it goes on where another stopped. Where what
 * came from several was not the bundle that was offered, each neighbour's parts are kept by themselves: then it shows who lies.
 */
export class BegunBundles {
  private readonly begun = new Map<string, Begun>()
  private readonly suspects = new Set<BundleId>()
  private bytes = 0
  private readonly dropped: (key: BundleKey) => void

  constructor(dropped: (key: BundleKey) => void) {
    this.dropped = dropped
  }

  get size(): number {
    return this.begun.size
  }

  get usedBytes(): number {
    return this.bytes
  }

  /** What is here of a bundle, or the beginning of it, to go on with; it is no longer kept here. @param now monotonic milliseconds, as everywhere here */
  resume(header: BundleHeader, peer: string, now: number): Begun {
    const name = this.nameOf(header.id, peer)
    const before = this.begun.get(name)
    this.remove(name)
    const isSame = before?.header.bytes === header.bytes
    const begun = isSame && before !== undefined ? before : fresh(header)
    begun.touchedAt = now
    begun.sources.add(peer)
    return begun
  }

  /** Keeps what is here of a bundle until the rest comes. */
  keep(begun: Begun, peer: string, now: number): void {
    if (begun.length === 0) return
    begun.touchedAt = now
    const name = this.nameOf(begun.header.id, peer)
    this.remove(name)
    this.begun.set(name, begun)
    this.bytes += begun.whole.length
    while (this.begun.size > MAX_BEGUN || this.bytes > MAX_BEGUN_BYTES) this.drop(this.oldestOf(this.busiest()))
  }

  /** The whole was not what was offered. @returns whether one neighbour alone has brought it */
  damaged({ header, sources }: Begun): boolean {
    if (sources.size === 1) return true
    this.suspects.add(header.id)
    const [first] = this.suspects
    if (this.suspects.size > MAX_SUSPECT && first !== undefined) this.suspects.delete(first)
    return false
  }

  /** The bundle is here, or nobody wants it any more. */
  forget(id: BundleId): void {
    for (const [name, { header }] of this.begun) if (header.id === id) this.remove(name)
  }

  expire({ now, mono }: { readonly now: number; readonly mono: number }): void {
    for (const [name, { header, touchedAt }] of this.begun)
      if (header.expiresAt <= now || mono - touchedAt >= BEGUN_LIFE_MS) this.drop(name)
  }

  private drop(name: string): void {
    const key = this.begun.get(name)?.header.key
    this.remove(name)
    if (key !== undefined) this.dropped(key)
  }

  /** By the whole id: anybody may claim one with the same first bytes. */
  private nameOf(id: BundleId, peer: string): string {
    return this.suspects.has(id) ? `${id} ${peer}` : id
  }

  /** Whoever takes most room, its own bundles only: nobody is driven out by a flooder. */
  private busiest(): string {
    const bytes = new Map<string, number>()
    for (const { sources, whole } of this.begun.values()) {
      const [first = ''] = sources
      bytes.set(first, (bytes.get(first) ?? 0) + whole.length + MAX_BEGUN_BYTES / MAX_BEGUN)
    }
    return [...bytes].reduce((most, each) => (each[1] > most[1] ? each : most))[0]
  }

  private oldestOf(peer: string): string {
    for (const [name, { sources }] of this.begun) if ([...sources][0] === peer) return name
    return ''
  }

  private remove(name: string): void {
    this.bytes -= this.begun.get(name)?.whole.length ?? 0
    this.begun.delete(name)
  }
}

function fresh(header: BundleHeader): Begun {
  return { header, whole: new Uint8Array(header.bytes), length: 0, sources: new Set(), touchedAt: 0 }
}
