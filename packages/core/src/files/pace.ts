/** Keeps to a number of bytes a second, over all transfers together (FI23). */
import type { Clock } from '../ports/clock.ts'

export class Pace {
  private readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  /** When what was let through so far is paid for, ms. */
  private paidAt = 0
  /** Bytes a second; 0 for no bound. */
  rate = 0

  constructor(clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.clock = clock
  }

  /** Waits until `bytes` more may go. */
  async pass(bytes: number): Promise<void> {
    if (this.rate === 0) return
    const now = this.clock.monotonic()
    const from = Math.max(now, this.paidAt)
    this.paidAt = from + (bytes / this.rate) * 1_000
    if (from > now) await this.clock.sleep(from - now)
  }
}
