/** The real clock and the real random source. */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Clock, Random } from '@skein/core'

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, { signal } = {}) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve(false)
      const stop = (): void => {
        clearTimeout(timer)
        resolve(false)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve(true)
      }, ms)
      // A wait is never a reason for the process to live on.
      timer.unref()
      signal?.addEventListener('abort', stop, { once: true })
    }),
}

export const systemRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  uniform: () => Math.random(),
}
