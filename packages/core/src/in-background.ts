import type { Logger } from './ports/logger.ts'

/**
 * Work that nobody waits for. A rejection that nobody holds ends the process, and a full disk or a store that closes is no reason
 * for that: it is logged.
 * @param event name of the log entry when it fails
 */
export function inBackground(logger: Logger, event: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => logger.warn(event, { reason: String(error) }))
}
