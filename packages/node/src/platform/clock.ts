/** The real clock, on any platform. */
import type { Clock } from '@skein/core'

/** Longest wait that a timer of the platform keeps, ms; a longer one would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, { signal } = {}) => {
    let left = ms
    for (; left > LONGEST_TIMER_MS; left -= LONGEST_TIMER_MS) if (!(await timer(LONGEST_TIMER_MS, signal))) return false
    return timer(left, signal)
  },
}

function timer(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false)
    const stop = (): void => {
      clearTimeout(timeout)
      resolve(false)
    }
    const timeout = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve(true)
    }, ms)
    // In Node.js a wait is never a reason for the process to live on; in a browser a timer is a number.
    if (typeof timeout === 'object') timeout.unref()
    signal?.addEventListener('abort', stop, { once: true })
  })
}
