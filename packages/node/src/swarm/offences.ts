/** What somebody who asks has done wrong, in the words of a relay's counter. */
import type { Connection, Stream } from '@libp2p/interface'
import { isSkeinError } from '@skein/core'

export type Offence = 'malformed' | 'size' | 'timeout'

/** Names of the libraries' errors for what is no length or message, and for what is too large or holds too many. */
const MALFORMED = /^(Invalid(Message|MessageLength|DataLengthLength|Signature|PublicKey|Multiaddr)|Parse)Error$/
const TOO_LARGE = /^(InvalidDataLength|StreamBuffer|MaxLength|MaxSize)Error$/
/** What the libraries' decoders throw has no name of its own. */
const NAMELESS = /^(Range)?Error$/

/** @returns nothing for a stream that broke, which is bad luck, and for what was refused at a limit, which is counted there */
export function offenceOf(error: unknown): Offence | undefined {
  if (isSkeinError(error, 'BAD_FRAME')) return 'malformed'
  if (isSkeinError(error, 'FRAME_TOO_LARGE')) return 'size'
  const name = error instanceof Error ? error.name : ''
  if (MALFORMED.test(name)) return 'malformed'
  if (TOO_LARGE.test(name)) return 'size'
  return name === 'AbortError' || name === 'TimeoutError' ? 'timeout' : undefined
}

/** Why a handler of the library's has failed, if it was by what came; what has been ended, here or at a limit, says nothing. */
export function whyUnread(error: unknown, stream: Pick<Stream, 'status'>, connection: Pick<Connection, 'status'>): Offence | undefined {
  const stands = connection.status === 'open'
  const why = offenceOf(error)
  // Whoever has gone says nothing in time either.
  if (why !== undefined) return why !== 'timeout' || stands ? why : undefined
  const isDecoders = error instanceof Error && NAMELESS.test(error.name)
  return isDecoders && stands && stream.status !== 'aborted' ? 'malformed' : undefined
}
