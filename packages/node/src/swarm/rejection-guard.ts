import type { Logger } from '@skein/core'

/** libp2p waits for stream events with promises that nobody holds when a connection dies (seen with StreamCloseEvent). */
export function isStrayStreamEvent(reason: unknown): boolean {
  return reason instanceof Event && (reason.type === 'close' || reason.constructor.name === 'StreamCloseEvent')
}

/** Keeps such rejections from ending the process; every other one still does. The returned function removes the guard. */
export function installRejectionGuard(logger: Logger): () => void {
  const onRejection = (reason: unknown): void => {
    if (!isStrayStreamEvent(reason)) throw reason
    logger.warn('stray-stream-event', {})
  }
  process.on('unhandledRejection', onRejection)
  return () => process.off('unhandledRejection', onRejection)
}
