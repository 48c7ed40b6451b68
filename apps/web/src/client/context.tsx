/** Gives every component the client's model, the language, and the way to say errors. */
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react'
import { keptLanguage, LANGUAGES, type Language, type Strings } from '../strings/languages.ts'
import { keep, KEYS, readKept } from './kept.ts'
import type { ClientModel } from './model.ts'
import { useObservable } from './observable.ts'

export type Theme = 'system' | 'light' | 'dark'

interface Look {
  readonly language: Language
  readonly strings: Strings
  readonly theme: Theme
  setLanguage(language: Language): void
  setTheme(theme: Theme): void
}

const LookContext = createContext<Look | undefined>(undefined)
const ModelContext = createContext<ClientModel | undefined>(undefined)

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('outside of its provider')
  return value
}

const keptTheme = (): Theme => {
  const kept = readKept(KEYS.theme)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

/** A language and its words, which come together: in the meantime what was there stays. */
function useLanguage(): { readonly language: Language; readonly strings: Strings | undefined; setLanguage(language: Language): void } {
  const [wanted, setLanguage] = useState(keptLanguage)
  const [shown, setShown] = useState<{ readonly language: Language; readonly strings: Strings }>()
  useEffect(() => {
    keep(KEYS.language, wanted)
    let isOver = false
    const { load } = LANGUAGES[wanted]
    // A server that is away must not leave the page empty.
    const loading = load().then(
      (strings) => ({ language: wanted, strings }),
      async () => ({ language: 'en' as const, strings: await LANGUAGES.en.load() }),
    )
    void loading.then((loaded) => (isOver ? undefined : setShown(loaded)))
    return () => {
      isOver = true
    }
  }, [wanted])
  return { language: shown?.language ?? wanted, strings: shown?.strings, setLanguage }
}

export function LookProvider({ children }: { readonly children: ReactNode }) {
  const { language, strings, setLanguage } = useLanguage()
  const [theme, setTheme] = useState(keptTheme)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = theme
    keep(KEYS.theme, theme)
  }, [theme])
  const look = useMemo(
    () => (strings === undefined ? undefined : { language, strings, theme, setLanguage, setTheme }),
    [language, strings, theme, setLanguage],
  )
  if (look === undefined) return null
  return <LookContext value={look}>{children}</LookContext>
}

export function ModelProvider({ model, children }: { readonly model: ClientModel; readonly children: ReactNode }) {
  return <ModelContext value={model}>{children}</ModelContext>
}

export const useLook = (): Look => required(use(LookContext))
export const useStrings = (): Strings => useLook().strings
export const useModel = (): ClientModel => required(use(ModelContext))
export const useClient = () => useObservable(useModel())

/** A sentence in the user's language for what went wrong. */
export function describeError(strings: Strings, error: unknown, here: Readonly<Record<string, string>> = {}): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  const known: Readonly<Record<string, string>> = { ...strings.errors, ...here }
  return (Object.hasOwn(known, code) ? known[code] : undefined) ?? strings.general.failed
}
