/** Hybrid logical clock (Kulkarni et al. 2014): orders messages by wall time without ever going back. */
export interface HybridStamp {
  readonly ms: number
  /** 0 to 65,535. */
  readonly counter: number
}

/** A stamp from further ahead than this does not move our clock (DL8): a device set to next year must not take us along. */
export const MAX_SKEW_MS = 24 * 3_600_000
const COUNTER_END = 0x10000

/** The stamp after `last` at wall time `now`, milliseconds since 1970. */
export function tick(last: HybridStamp, now: number): HybridStamp {
  if (now > last.ms) return { ms: now, counter: 0 }
  return last.counter + 1 < COUNTER_END ? { ms: last.ms, counter: last.counter + 1 } : { ms: last.ms + 1, counter: 0 }
}

export function compareStamps(a: HybridStamp, b: HybridStamp): number {
  return a.ms - b.ms || a.counter - b.counter
}

export function isTolerated(stamp: HybridStamp, now: number): boolean {
  return stamp.ms <= now + MAX_SKEW_MS
}

/** Our own clock as it goes on at `now`: what a wrong date has left here is let go once the date is right. */
export function resumed(last: HybridStamp, now: number): HybridStamp {
  return isTolerated(last, now) ? last : { ms: now, counter: 0 }
}

/** The later of two stamps. */
export function latest(a: HybridStamp, b: HybridStamp): HybridStamp {
  return compareStamps(a, b) >= 0 ? a : b
}
