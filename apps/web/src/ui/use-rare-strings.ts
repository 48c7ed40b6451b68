import { useLook } from '../client/context.tsx'
import { RARE_STRINGS } from '../strings/rare-strings.ts'
import type { RareStrings } from '../strings/rare-en.ts'

/** The words of what few open, in the user's language. */
export const useRareStrings = (): RareStrings => RARE_STRINGS[useLook().language]
