import type { Neighbour } from './neighbour.ts'
import { RateLimit } from './rate-limit.ts'

/**
 * Proofs of bundles nobody has here that one neighbour may show (ME6): any 16 bytes are one, each is kept and told to all
 * others. Above what a neighbour brings after hours alone; what is beyond comes with a later comparison.
 */
export const PROOF_RATE = { burst: 8_192, perSecond: 100 } as const
/** Frames with such proofs: each makes one frame to every other neighbour. */
export const PROOF_FRAME_RATE = { burst: 200, perSecond: 20 } as const

/** Lets in what neighbours say has arrived somewhere else, at a rate. */
export class ProofIntake {
  private readonly rates = new WeakMap<Neighbour, { readonly proofs: RateLimit; readonly frames: RateLimit }>()

  /** Those that may be taken up, of one frame. @param now milliseconds since 1970; a clock that is set back lets nothing more in */
  admitted<T>(neighbour: Neighbour, shown: readonly T[], now: number): readonly T[] {
    if (shown.length === 0) return shown
    const { proofs, frames } = this.rateOf(neighbour, now)
    return frames.takes(1, now) ? shown.filter(() => proofs.takes(1, now)) : []
  }

  private rateOf(neighbour: Neighbour, now: number): { readonly proofs: RateLimit; readonly frames: RateLimit } {
    const known = this.rates.get(neighbour)
    if (known !== undefined) return known
    const fresh = { proofs: new RateLimit(PROOF_RATE, now), frames: new RateLimit(PROOF_FRAME_RATE, now) }
    this.rates.set(neighbour, fresh)
    return fresh
  }
}
