import type { Clock } from '../../ports/index.ts'
import { NamedRates } from '../rate-limit.ts'

/** Bundles of others that one neighbour may have stored here at once, and per second (ME20): each is a transaction on disk. */
export const STORING_RATE = { burst: 500, perSecond: 50 } as const

/** Spreads over time what neighbours have stored: one that is too quick waits, with one bundle at a time. */
export class StoringTurns {
  private readonly rates = new NamedRates(STORING_RATE)
  private readonly waiting = new Set<string>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Resolves when a bundle of this neighbour may be stored; `false` at once while another one of it waits. */
  async turn(peer: string): Promise<boolean> {
    if (this.waiting.has(peer)) return false
    const rate = this.rates.of(peer, this.clock.monotonic())
    if (rate.takes(1, this.clock.monotonic())) return true
    this.waiting.add(peer)
    await this.clock.sleep(Math.ceil(rate.wait(1, this.clock.monotonic())) + 1)
    this.waiting.delete(peer)
    return rate.takes(1, this.clock.monotonic())
  }
}
