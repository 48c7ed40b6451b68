import type { Neighbour } from './neighbour.ts'
import { NamedRates } from './rate-limit.ts'

/**
 * Proofs of bundles nobody has here that one neighbour may show (ME6): any 16 bytes are one, each is kept and told to all
 * others. Above what a neighbour brings after hours alone; what is beyond comes with a later comparison.
 */
export const PROOF_RATE = { burst: 8_192, perSecond: 100 } as const
/** Frames with such proofs: each makes one frame to every other neighbour. */
export const PROOF_FRAME_RATE = { burst: 200, perSecond: 20 } as const

/** Proofs that one neighbour may ask for: all there can be, and then what differs again. */
export const ASKING_RATE = { burst: 65_536, perSecond: 500 } as const

/** Proofs that one neighbour may show, whatever they are: each is hashed to see what it is. As many as there can be, and then what is new. */
export const SHOWING_RATE = { burst: 131_072, perSecond: 500 } as const

/** Lets in what neighbours say has arrived somewhere else, at a rate that a new link does not begin anew. */
export class ProofIntake {
  private readonly proofs = new NamedRates(PROOF_RATE)
  private readonly frames = new NamedRates(PROOF_FRAME_RATE)
  private readonly showing = new NamedRates(SHOWING_RATE)
  private readonly asking = new NamedRates(ASKING_RATE)

  /** Those that may be taken up, of one frame. @param now milliseconds since 1970; a clock that is set back lets nothing more in */
  admitted<T>({ peer }: Neighbour, shown: readonly T[], now: number): readonly T[] {
    if (shown.length === 0 || !this.frames.of(peer, now).takes(1, now)) return []
    const proofs = this.proofs.of(peer, now)
    return shown.filter(() => proofs.takes(1, now))
  }

  /** Those that are looked at at all. */
  shown<T>({ peer }: Neighbour, shown: readonly T[], now: number): readonly T[] {
    const rate = this.showing.of(peer, now)
    return shown.filter(() => rate.takes(1, now))
  }

  /** Those of the proofs it asks for that it is given. */
  asked<T>({ peer }: Neighbour, wanted: readonly T[], now: number): readonly T[] {
    const rate = this.asking.of(peer, now)
    return wanted.filter(() => rate.takes(1, now))
  }
}
