/** A punch that ended without having been tried: its stream, or the connection beneath, has gone, or the other side was too busy to answer. */

/** The other side is there no more. */
export class BrokenOff extends Error {}

/** Of libp2p: a reset, or a connection that closes; and of a limited wait. */
const GONE = /^(Timeout|StreamReset|StreamState|StreamClosed|StreamAborted|ConnectionClos|MuxerClosed|MuxerUnavailable|UnexpectedEOF)/

/** Also of a refusal: the other side has no place, or has begun one itself. */
export function isBrokenOff(error: unknown): boolean {
  return error instanceof BrokenOff || (error instanceof Error && GONE.test(error.name))
}
