/** The words of what few open, in every language; loaded with it. */
import type { Language } from './languages.ts'
import { rareDe } from './rare-de.ts'
import { rareEn, type RareStrings } from './rare-en.ts'

export const RARE_STRINGS: Readonly<Record<Language, RareStrings>> = { en: rareEn, de: rareDe }
