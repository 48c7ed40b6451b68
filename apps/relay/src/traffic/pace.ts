/** A rate in bytes a second, kept by letting senders wait after what has passed: nothing is queued and nothing is cut. */

/** What may pass at once after a pause, ms of the rate. */
const BURST_MS = 500
/** Longest wait asked for at once, ms; a debt beyond it is asked for again with the next bytes. */
const LONGEST_WAIT_MS = 30_000

export interface Rate {
  /** Bytes; 0 for no limit. */
  readonly perSecond: number
  /** What may pass at once after a pause, ms of the rate. */
  readonly burstMs?: number
  /** Monotonic milliseconds. */
  readonly now: number
}

export class Pace {
  /** When all that has passed would have been sent at the rate, monotonic ms. */
  #paidUntil = Number.NEGATIVE_INFINITY

  /** @param bytes 0 only asks @returns ms to wait before more may pass */
  charge(bytes: number, { perSecond, burstMs = BURST_MS, now }: Rate): number {
    if (perSecond <= 0) return 0
    this.#paidUntil = Math.max(this.#paidUntil, now - burstMs) + (bytes / perSecond) * 1_000
    return Math.min(LONGEST_WAIT_MS, Math.max(0, this.#paidUntil - now))
  }
}
