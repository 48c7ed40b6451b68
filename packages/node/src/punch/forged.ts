/** What no honest side says in a coordination: it is counted, and ends the punch. */
import { SkeinError } from '@skein/core'

export class ForgedMessage extends Error {}

/** Of the library that delimits messages: one is longer than the limit. */
const TOO_LONG = /^InvalidDataLength/

export function isForged(error: unknown): boolean {
  if (error instanceof ForgedMessage) return true
  if (error instanceof SkeinError) return error.code === 'BAD_FRAME' || error.code === 'FRAME_TOO_LARGE'
  return error instanceof Error && TOO_LONG.test(error.name)
}
