/** The client went away while a command talked to it. */
import { SkeinError } from '@skein/core'

const CUT: readonly string[] = ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'UND_ERR_SOCKET']

/** In place of what the library for requests says, which names no cause that a person knows. */
export function explainCut(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause)
    if (CUT.includes(String((cause as NodeJS.ErrnoException).code)))
      return new SkeinError('NO_DAEMON', 'The client on this data directory has ended in the middle of this.', { cause: error })
  return error
}
