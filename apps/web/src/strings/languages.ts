/** The languages of the interface, and which one is used. */
import { KEYS, readKept } from '../client/kept.ts'
import { en, type Strings } from './en.ts'

export type { Strings } from './en.ts'

interface LanguageOffered {
  readonly label: string
  /** English is always there, the others are loaded by whoever reads them. */
  load(): Promise<Strings>
}

export const LANGUAGES = {
  en: { label: 'English', load: async () => en },
  de: { label: 'Deutsch', load: async () => (await import('./de.ts')).de },
} as const satisfies Record<string, LanguageOffered>
export type Language = keyof typeof LANGUAGES

export const isLanguage = (value: unknown): value is Language => typeof value === 'string' && Object.hasOwn(LANGUAGES, value)

/** The first of the languages that the user reads; English when there is none. */
export function chooseLanguage(wanted: readonly string[]): Language {
  return wanted.map((each) => each.split('-')[0]?.toLowerCase()).find(isLanguage) ?? 'en'
}

/** The one that was chosen here. */
export const keptLanguage = (): Language => {
  const kept = readKept(KEYS.language)
  return isLanguage(kept) ? kept : chooseLanguage(navigator.languages)
}
