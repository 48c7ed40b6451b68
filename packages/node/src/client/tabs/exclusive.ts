/** One tab at a time, among all tabs of an origin. */
import type { Clock, Random } from '@skein/core'

export interface ExclusiveDeps {
  readonly clock: Clock
  readonly random: Random
  /** The platform's locks; absent on an origin that is not secure. */
  readonly locks?: Pick<LockManager, 'request'> | undefined
  /** Without locks: puts `next` of what the last turn has left in its place, in one step among all tabs, and returns it. */
  nextTurn(next: (last: number) => number): Promise<number>
}

export interface Turn {
  /** Aborts when another tab has taken over, because this one did not answer (it was frozen). */
  readonly lost: AbortSignal
}

/**
 * Waits for this tab's turn, then runs `work`; the turn ends with it. At most one turn at a time, but for a tab that was
 * frozen and learns of it late: what it does to shared storage must be fenced there.
 * @param signal ends the wait; `work` has to look at it itself
 */
export async function exclusively(
  name: string,
  work: (turn: Turn) => Promise<void>,
  { signal, ...deps }: ExclusiveDeps & { readonly signal: AbortSignal },
): Promise<void> {
  if (deps.locks !== undefined) return withLock(deps.locks, name, { work, signal })
  return (await import('./by-asking.ts')).byAsking(name, work, { signal, ...deps })
}

async function withLock(
  locks: Pick<LockManager, 'request'>,
  name: string,
  { work, signal }: { readonly work: (turn: Turn) => Promise<void>; readonly signal: AbortSignal },
): Promise<void> {
  const lost = new AbortController()
  await locks
    .request(name, { signal }, () => work({ lost: lost.signal }))
    .catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
}
