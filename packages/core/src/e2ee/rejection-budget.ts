/** How much of our time a sender may waste: a token bucket per sender, spent by messages that do not open (EA1). */
import type { Clock } from '../ports/clock.ts'

/** Rejections at once; a mesh that replays a stretch after a reconnect stays below. */
const BURST = 256
/** Rejections per second after that: at 5 ms each a sender gets at most a twentieth of a core. */
const PER_SECOND = 10
/** Senders remembered; one who was forgotten starts with a full budget. */
const MAX_SENDERS = 1_024

interface Bucket {
  tokens: number
  at: number
}

export class RejectionBudget {
  private readonly clock: Clock
  private readonly buckets = new Map<string, Bucket>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Whether a message of this sender may still be tried. */
  allows(sender: string): boolean {
    const bucket = this.buckets.get(sender)
    return bucket === undefined || this.filled(bucket) >= 1
  }

  spend(sender: string): void {
    const bucket = this.buckets.get(sender)
    const tokens = (bucket === undefined ? BURST : this.filled(bucket)) - 1
    this.buckets.delete(sender)
    const [oldest] = this.buckets.keys()
    if (this.buckets.size >= MAX_SENDERS && oldest !== undefined) this.buckets.delete(oldest)
    this.buckets.set(sender, { tokens: Math.max(0, tokens), at: this.clock.monotonic() })
  }

  private filled({ tokens, at }: Bucket): number {
    return Math.min(BURST, tokens + ((this.clock.monotonic() - at) / 1_000) * PER_SECOND)
  }
}
