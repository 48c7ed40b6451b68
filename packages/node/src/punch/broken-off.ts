/** How a punch ends that says nothing, or only something known, of whether there is a hole. */
import type { PunchRefusal } from '@skein/core'
import { NO_UDP_THERE } from '../swarm/rungs.ts'

/** The other side is there no more, or has no place just now. */
export class BrokenOff extends Error {}

/** Of libp2p: a reset, or a connection that closes; and of a limited wait. */
const GONE = /^(Timeout|StreamReset|StreamState|StreamClosed|StreamAborted|ConnectionClos|MuxerClosed|MuxerUnavailable|UnexpectedEOF)/

/** It ended without having been tried: its stream, or the connection beneath, has gone, or the other side was too busy to answer. */
export function isBrokenOff(error: unknown): boolean {
  return error instanceof BrokenOff || (error instanceof Error && GONE.test(error.name))
}

export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('Timeout')
}

/** A cause on this side that the other one is told. */
export class CannotPunch extends Error {
  readonly refusal: PunchRefusal

  constructor(refusal: PunchRefusal, message: string) {
    super(message)
    this.refusal = refusal
  }
}

const SAID: Readonly<Record<PunchRefusal, string>> = {
  unknown: 'the other side has given it up',
  busy: 'the other side has no place for it now',
  'no-udp': NO_UDP_THERE,
  'no-relay': 'no relay in common that is of use at the other side',
}

/** The other side has said why it cannot. */
export class RefusedThere extends Error {}

/** What the other side says of why it does not go on, as an error. */
export function refusedFor(refusal: PunchRefusal): Error {
  return refusal === 'busy' || refusal === 'unknown' ? new BrokenOff(SAID[refusal]) : new RefusedThere(SAID[refusal])
}
