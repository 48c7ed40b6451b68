/** Keeps to a number of bytes a second, over all transfers together (FI23), and to fewer while somebody writes (FI52). */
import type { Clock } from '../ports/clock.ts'
import { GIVE_WAY_BYTES_PER_S, GIVE_WAY_MS } from './limits.ts'

export class Pace {
  private readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  /** When what was let through so far is paid for, ms. */
  private paidAt = 0
  private bound = 0
  /** Until when little goes, ms. */
  private givesWayUntil = 0
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

  /** Messages come first: for GIVE_WAY_MS from now on at most GIVE_WAY_BYTES_PER_S go. */
  giveWay(): void {
    this.givesWayUntil = this.clock.monotonic() + GIVE_WAY_MS
  }

  /** Waits until `bytes` more may go. @param signal there is no use for it any more */
  async pass(bytes: number, signal?: AbortSignal): Promise<void> {
    while (signal?.aborted !== true) {
      const now = this.clock.monotonic()
      const bound = this.boundAt(now)
      if (bound === 0) return
      const from = Math.max(now, this.paidAt)
      this.paidAt = from + (bytes / bound) * 1_000
      // Whoever is woken before has not paid: the bound is another now.
      if (from <= now || (await this.waitFor(from - now, signal))) return
    }
  }

  /** @returns bytes a second; 0 for no bound */
  private boundAt(now: number): number {
    if (now >= this.givesWayUntil) return this.bound
    return this.bound === 0 ? GIVE_WAY_BYTES_PER_S : Math.min(this.bound, GIVE_WAY_BYTES_PER_S)
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

/** Both ways. */
export class Paces {
  readonly sending: Pace
  readonly receiving: Pace

  constructor(clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.sending = new Pace(clock)
    this.receiving = new Pace(clock)
  }

  /** Bytes a second, each way; 0 for no bound. */
  get rate(): number {
    return this.sending.rate
  }

  set rate(rate: number) {
    this.sending.rate = rate
    this.receiving.rate = rate
  }

  giveWay(): void {
    this.sending.giveWay()
    this.receiving.giveWay()
  }
}
