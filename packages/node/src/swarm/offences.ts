/** What somebody who asks has done wrong, in the words of a relay's counter. */
import { isSkeinError } from '@skein/core'

export type Offence = 'malformed' | 'size' | 'timeout'

/** Names of the library's errors for a length that is none, and for one that is too large. */
const MALFORMED = /^Invalid(MessageLength|DataLengthLength)Error$/
const TOO_LARGE = /^(InvalidDataLength|StreamBuffer)Error$/

/** @returns nothing for a stream that broke, which is bad luck, and for what was refused at a limit, which is counted there */
export function offenceOf(error: unknown): Offence | undefined {
  if (isSkeinError(error, 'BAD_FRAME')) return 'malformed'
  if (isSkeinError(error, 'FRAME_TOO_LARGE')) return 'size'
  const name = error instanceof Error ? error.name : ''
  if (MALFORMED.test(name)) return 'malformed'
  if (TOO_LARGE.test(name)) return 'size'
  return name === 'AbortError' || name === 'TimeoutError' ? 'timeout' : undefined
}
