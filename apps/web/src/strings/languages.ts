/** The languages of the interface, and which one is used. */
import { de } from './de.ts'
import { en, type Strings } from './en.ts'

export type { Strings } from './en.ts'

export const LANGUAGES = { en: { label: 'English', strings: en }, de: { label: 'Deutsch', strings: de } } as const satisfies Record<
  string,
  { readonly label: string; readonly strings: Strings }
>
export type Language = keyof typeof LANGUAGES

export const isLanguage = (value: unknown): value is Language => typeof value === 'string' && Object.hasOwn(LANGUAGES, value)

/** The first of the languages that the user reads; English when there is none. */
export function chooseLanguage(wanted: readonly string[]): Language {
  return wanted.map((each) => each.split('-')[0]?.toLowerCase()).find(isLanguage) ?? 'en'
}
