/** A rate in bytes a second, kept by letting senders wait after what has passed: nothing is queued and nothing is cut. */

/** What may pass at once after a pause, ms of the rate. */
const BURST_MS = 500
/** Longest wait that a timer takes, ms. */
const LONGEST_WAIT_MS = 2 ** 31 - 1

export interface Rate {
  /** Bytes; 0 for no limit. */
  readonly perSecond: number
  /** What may pass at once after a pause, ms of the rate. */
  readonly burstMs?: number
  /** How much debt these bytes may leave, ms of the rate; for those who do not wait themselves. */
  readonly maxDebtMs?: number | undefined
  /** Monotonic milliseconds. */
  readonly now: number
}

export class Pace {
  /** When all that has passed would have been sent at the rate, monotonic ms. */
  #paidUntil = Number.NEGATIVE_INFINITY
  /** At which it is, bytes a second. */
  #perSecond = 0

  /**
   * All of the debt is waited for: were the wait shorter, many senders that take turns would pass the rate together.
   * @param bytes 0 only asks @returns ms to wait before more may pass
   */
  charge(bytes: number, { perSecond, burstMs = BURST_MS, maxDebtMs = Number.POSITIVE_INFINITY, now }: Rate): number {
    if (perSecond <= 0) return 0
    this.#reckonAt(perSecond, now)
    const paid = Math.max(this.#paidUntil, now - burstMs)
    this.#paidUntil = Math.max(paid, Math.min(now + maxDebtMs, paid + (bytes / perSecond) * 1_000))
    return Math.min(LONGEST_WAIT_MS, Math.max(0, this.#paidUntil - now))
  }

  /** Owed are bytes: at a higher rate they are paid sooner. At a lower one nobody waits longer for what passed before it. */
  #reckonAt(perSecond: number, now: number): void {
    const owedMs = this.#paidUntil - now
    if (perSecond > this.#perSecond && owedMs > 0) this.#paidUntil = now + (owedMs * this.#perSecond) / perSecond
    this.#perSecond = perSecond
  }

  /** What had been charged in advance did not pass. */
  refund(bytes: number, perSecond: number): void {
    if (perSecond > 0) this.#paidUntil -= (bytes / perSecond) * 1_000
  }
}
