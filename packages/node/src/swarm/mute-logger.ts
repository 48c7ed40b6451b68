/**
 * A log for libp2p that nobody reads. The library makes three loggers for each connection and stream, functions with
 * properties of their own: 20 KB a connection, and a tenth of what opening one costs. With DEBUG set it logs as ever.
 */
import type { ComponentLogger, Logger } from '@libp2p/interface'

const nothing = (): void => undefined
const MUTE: Logger = Object.assign(nothing, { error: nothing, trace: nothing, enabled: false, newScope: (): Logger => MUTE })

/** For a node's `logger`; nothing where somebody wants to read what libp2p says. */
export function muteLogger(): { readonly logger?: ComponentLogger } {
  return process.env['DEBUG'] === undefined ? { logger: { forComponent: () => MUTE } } : {}
}
