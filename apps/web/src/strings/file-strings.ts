/** The words of the part for files, in every language; loaded with it. */
import { filesDe } from './files-de.ts'
import { filesEn, type FileStrings } from './files-en.ts'
import type { Language } from './languages.ts'

export const FILE_STRINGS: Readonly<Record<Language, FileStrings>> = { en: filesEn, de: filesDe }
