import { type BundleHeader, CLOCK_SKEW_MS, isAbsurd } from '../bundle.ts'
import { bound } from '../neighbourhood.ts'

/** Neighbours whose time is remembered, and how many of them have to differ: one alone may be wrong itself. */
const REMEMBERED = 64
const ENOUGH = 2

/** Whether a bundle is from another time by this clock: it lives too long, or ended more than a day ago. */
function isOdd(header: BundleHeader, now: number): boolean {
  return isAbsurd(header, now) || header.expiresAt < now - CLOCK_SKEW_MS
}

/** Tells by what neighbours bring, and what they say of what was made here, whether it is this clock that is wrong (ME43). */
export class ClockDoubt {
  private readonly odd = new Map<string, boolean>()

  /** A neighbour has brought this. */
  brought(peer: string, header: BundleHeader, now: number): void {
    this.note(peer, isOdd(header, now))
  }

  /** A neighbour says that something made here comes too late. */
  late(peer: string, { expiresAt }: BundleHeader, now: number): void {
    if (expiresAt - now > CLOCK_SKEW_MS) this.note(peer, true)
  }

  /** Whether most neighbours of late live in another time, and not one alone. */
  get isWrong(): boolean {
    const differ = [...this.odd.values()].filter(Boolean).length
    return differ >= ENOUGH && 2 * differ > this.odd.size
  }

  private note(peer: string, odd: boolean): void {
    this.odd.delete(peer)
    this.odd.set(peer, odd)
    bound(this.odd, REMEMBERED)
  }
}
