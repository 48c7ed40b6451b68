import type { BundleKey } from './bundle.ts'

/** Neighbours that have gone and are remembered, and how long, in milliseconds (ME46): links flap, and people walk round the same fire. */
const MAX_REMEMBERED = 16
export const REMEMBERED_MS = 600_000

interface Acquaintance {
  readonly keys: readonly BundleKey[]
  readonly until: number
}

/** What neighbours held when their links ended: whoever soon comes again has it still, or had to drop it, and is not brought it once more. */
export class Acquaintances {
  private readonly known = new Map<string, Acquaintance>()

  /** @param keys of bundles that both sides hold */
  leave(peer: string, keys: readonly BundleKey[], now: number): void {
    this.known.delete(peer)
    this.known.set(peer, { keys, until: now + REMEMBERED_MS })
    const [first] = this.known.keys()
    if (this.known.size > MAX_REMEMBERED && first !== undefined) this.known.delete(first)
  }

  /** What somebody held who comes again. */
  comeBack(peer: string, now: number): readonly BundleKey[] {
    const found = this.known.get(peer)
    this.known.delete(peer)
    return found === undefined || found.until <= now ? [] : found.keys
  }
}
