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
  return error.code === 'BAD_REQUEST' ? new SkeinError('USAGE', sentenceOf(error.data), { cause: error }) : error
}

/** What the schema found first, with the name of the field. */
function sentenceOf(data: unknown): string {
  const { issues: [issue] = [] } = (data ?? {}) as { issues?: readonly { readonly path?: readonly unknown[]; readonly message?: string }[] }
  if (issue === undefined) return 'The request does not have the form that the API wants.'
  return `«${(issue.path ?? []).join('.') || 'the request'}» is not right: ${issue.message ?? 'it has another form'}.`
}
