/** The words of the part for files, in the user's language. */
import { describeError, useLook, useStrings } from '../client/context.tsx'
import { FILE_STRINGS } from '../strings/file-strings.ts'
import type { FileStrings } from '../strings/files-en.ts'

export const useFileStrings = (): FileStrings => FILE_STRINGS[useLook().language]

/** Says what went wrong with what the user wanted. */
export function useProblem(): (error: unknown) => string {
  const strings = useStrings()
  const { problems } = useFileStrings()
  return (error) => describeError(strings, error, problems)
}
