import type { Logger } from '@skein/core'

const STRAY = new Set(['StreamCloseEvent', 'StreamAbortEvent', 'StreamResetEvent'])

/**
 * libp2p waits for stream events with promises that nobody holds when a connection dies; they reject with the event
 * itself (notes/nat.md §4). By name, because a second copy of the library has classes of its own.
 */
export function isStrayStreamEvent(reason: unknown): boolean {
  return reason instanceof Event && STRAY.has(reason.constructor.name)
}

/** Keeps such rejections from ending the process, and counts them; every other one still does. The returned function removes the guard. */
export function installRejectionGuard(logger: Logger): () => void {
  let count = 0
  const onRejection = (reason: unknown): void => {
    // Thrown from here it becomes an uncaught exception, as if there were no guard.
    if (!isStrayStreamEvent(reason)) throw reason
    count += 1
    logger.warn('stray-stream-event', { kind: (reason as Event).constructor.name, count })
  }
  process.on('unhandledRejection', onRejection)
  return () => process.off('unhandledRejection', onRejection)
}
