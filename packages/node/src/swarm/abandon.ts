/** Giving up a wait. */

/** Waits for `work` no longer than until `signal` aborts; the work itself goes on, for others may wait for it too. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let give: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    give = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal.addEventListener('abort', give, { once: true })
  })
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', give))
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
