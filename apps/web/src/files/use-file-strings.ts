/** The words of the part for files, in the user's language. */
import { describeError, useLook, useStrings } from '../client/context.tsx'
import { FILE_STRINGS } from '../strings/file-strings.ts'
import type { FileStrings } from '../strings/files-en.ts'

export const useFileStrings = (): FileStrings => FILE_STRINGS[useLook().language]

/** Says what a code of a transfer, or an error, means. */
export function useProblem(): (codeOrError: unknown) => string {
  const strings = useStrings()
  const { problems } = useFileStrings()
  const known: Readonly<Record<string, string>> = problems
  return (given) => {
    const error = typeof given === 'string' ? { code: given } : given
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
    return (Object.hasOwn(known, code) ? known[code] : undefined) ?? describeError(strings, error)
  }
}
