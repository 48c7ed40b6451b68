/** Keeps to a number of bytes a second, over all transfers together (FI23). */
import type { Clock } from '../ports/clock.ts'

export class Pace {
  private readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  /** When what was let through so far is paid for, ms. */
  private paidAt = 0
  private bound = 0
  /** Those that wait, in order. */
  private readonly waiting = new Set<AbortController>()

  constructor(clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.clock = clock
  }

  /** Bytes a second; 0 for no bound. */
  get rate(): number {
    return this.bound
  }

  /** Counts from now on, also for those that wait. */
  set rate(rate: number) {
    if (rate === this.bound) return
    this.bound = rate
    this.paidAt = this.clock.monotonic()
    for (const each of this.waiting) each.abort()
  }

  /** Waits until `bytes` more may go. @param signal there is no use for it any more */
  async pass(bytes: number, signal?: AbortSignal): Promise<void> {
    while (this.bound > 0 && signal?.aborted !== true) {
      const now = this.clock.monotonic()
      const from = Math.max(now, this.paidAt)
      this.paidAt = from + (bytes / this.bound) * 1_000
      // Whoever is woken before has not paid: the bound is another now.
      if (from <= now || (await this.waitFor(from - now, signal))) return
    }
  }

  private async waitFor(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    const over = new AbortController()
    const stop = (): void => over.abort()
    this.waiting.add(over)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await this.clock.sleep(ms, { signal: over.signal })
    } finally {
      this.waiting.delete(over)
      signal?.removeEventListener('abort', stop)
    }
  }
}
