/** Work that is done every so often and may fail: on a full disk the relay goes on, and says why nothing is removed. */
import type { Logger } from '@skein/core'

/** Ms between removals of what has expired; reading ignores it anyway. */
export const SWEEP_MS = 60_000

/** For the log: the code stands there always, the sentence only where it may quote anybody. */
export function troubleOf(error: unknown): { readonly reason: string; readonly code: string } {
  return { reason: String(error), code: (error as { readonly code?: string } | undefined)?.code ?? 'unknown' }
}

/** Calls each of `sweeps` again and again; one that fails is logged and keeps no other from its turn. */
export function sweepEvery(ms: number, sweeps: readonly (() => void)[], logger: Logger): Disposable {
  const timer = setInterval(() => {
    for (const sweep of sweeps) {
      try {
        sweep()
      } catch (error) {
        logger.error('not-swept', troubleOf(error))
      }
    }
  }, ms)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
