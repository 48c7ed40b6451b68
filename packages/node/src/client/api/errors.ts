import { ORPCError } from '@orpc/contract'
import { ERROR_CODES, type ErrorCode, isSkeinError, SkeinError } from '@skein/core'

/** A failure of ours as it travels over the API: code and sentence survive, anything else becomes an internal error. */
export function toApiError(error: unknown): unknown {
  return isSkeinError(error) ? new ORPCError(error.code, { status: 409, message: error.message, cause: error }) : error
}

/** The reverse of toApiError, at the caller's end. */
export function fromApiError(error: unknown): unknown {
  if (!(error instanceof ORPCError)) return error
  const known = ERROR_CODES.find((code): code is ErrorCode => code === error.code)
  if (known !== undefined) return new SkeinError(known, error.message, { cause: error })
  return error.code === 'BAD_REQUEST'
    ? new SkeinError('USAGE', 'The request does not have the form that the API wants.', { cause: error })
    : error
}
