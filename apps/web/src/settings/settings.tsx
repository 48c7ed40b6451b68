import type { SettingsView } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { type Theme, useClient, useLook, useStrings } from '../client/context.tsx'
import { LANGUAGES, isLanguage } from '../strings/languages.ts'
import { Button } from '../ui/button.tsx'
import { SelectField, TextArea, TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Page, Section } from '../ui/page.tsx'
import { useAction } from '../ui/use-action.ts'
import { BackupSection } from './backup.tsx'
import { DeliverySection } from './delivery.tsx'
import { NotifySection } from './notify.tsx'
import { PassphraseSection } from './passphrase.tsx'
import { DevicesSection, ProofsSection } from './lazy.ts'
import { faultOf } from './relay-url.ts'
import { StorageSection } from './storage.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function Settings({ hosted }: { readonly hosted: boolean }) {
  const { general } = useStrings()
  const { settings } = useRareStrings()
  const { api, status } = useClient()
  const [known, setKnown] = useState<SettingsView>()
  const { problem, run } = useAction()
  useEffect(() => {
    if (api !== undefined) void run(async () => setKnown(await api.settings()))
  }, [api, run])
  return (
    <Page title={settings.title}>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {known === undefined ? (
        <p className="text-quiet">{problem === undefined ? general.loading : ''}</p>
      ) : (
        <Profile known={known} onSaved={setKnown} />
      )}
      {known === undefined ? null : <DeliverySection known={known} />}
      <Appearance />
      <NotifySection />
      <StorageSection hosted={hosted} />
      {hosted ? null : <PassphraseSection />}
      <BackupSection />
      <DevicesSection />
      <ProofsSection />
      <Section title={settings.account}>
        <p className="foreign text-sm">
          <code>{status?.account}</code>
        </p>
        <p className="foreign text-sm text-quiet">
          {settings.device}: <code>{status?.device}</code>
        </p>
      </Section>
    </Page>
  )
}

const VISIBILITIES = ['everyone', 'contacts', 'nobody'] as const
const linesOf = (text: string): readonly string[] => [...new Set(text.split(/\s+/).filter((line) => line !== ''))]

/** What is as it was shown is not said: another device or tab may have changed it since. */
function changed<T extends object>(known: T, wanted: { readonly [K in keyof T]?: T[K] }): Partial<T> {
  const isNew = ([key, value]: [string, unknown]): boolean => JSON.stringify(value) !== JSON.stringify(known[key as keyof T])
  return Object.fromEntries(Object.entries(wanted).filter(isNew)) as Partial<T>
}

interface ProfileProps {
  readonly known: SettingsView
  onSaved(saved: SettingsView): void
}

function Profile({ known, onSaved }: ProfileProps) {
  const { general } = useStrings()
  const { settings } = useRareStrings()
  const { api } = useClient()
  const [name, setName] = useState(known.name)
  const [relays, setRelays] = useState(known.relays.join('\n'))
  const [visibility, setVisibility] = useState(known.visibility)
  const [saved, setSaved] = useState<{ readonly applied: boolean }>()
  const { busy, problem, run } = useAction(settings.problems)
  const save = (): void => {
    setSaved(undefined)
    void run(async () => {
      // What was there already is the user's own affair.
      const entered = linesOf(relays).filter((line) => !known.relays.includes(line))
      const code = entered.map((line) => faultOf(line, globalThis.location.protocol)).find((fault) => fault !== undefined)
      if (code !== undefined) throw Object.assign(new Error('no address of a relay'), { code })
      const now = await api?.configure(changed(known, { name: name.trim(), relays: [...linesOf(relays)], visibility }))
      if (now !== undefined) onSaved(now)
      setSaved(now)
    })
  }
  return (
    <Section title={settings.profile}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <TextField
          label={settings.name}
          hint={settings.nameHint}
          value={name}
          maxLength={64}
          onChange={(event) => setName(event.target.value)}
        />
        <TextArea
          label={settings.relays}
          hint={settings.relaysHint}
          value={relays}
          dir="ltr"
          spellCheck={false}
          onChange={(event) => setRelays(event.target.value)}
        />
        <SelectField
          label={settings.visibility}
          value={visibility}
          onChange={(event) => setVisibility(VISIBILITIES.find((each) => each === event.target.value) ?? 'contacts')}
        >
          {VISIBILITIES.map((each) => (
            <option key={each} value={each}>
              {settings.visibilities[each]}
            </option>
          ))}
        </SelectField>
        {problem === undefined ? null : <Note look="danger">{problem}</Note>}
        {saved === undefined ? null : (
          <Note look="good">
            {general.saved} {saved.applied ? '' : settings.laterApplied}
          </Note>
        )}
        <Button type="submit" look="main" disabled={busy}>
          {general.save}
        </Button>
      </form>
    </Section>
  )
}

const THEMES: readonly Theme[] = ['system', 'light', 'dark']

function Appearance() {
  const { theme, language, setTheme, setLanguage } = useLook()
  const { settings } = useRareStrings()
  return (
    <Section title={settings.appearance}>
      <SelectField
        label={settings.theme}
        value={theme}
        onChange={(event) => setTheme(THEMES.find((each) => each === event.target.value) ?? 'system')}
      >
        {THEMES.map((each) => (
          <option key={each} value={each}>
            {settings.themes[each]}
          </option>
        ))}
      </SelectField>
      <SelectField
        label={settings.language}
        value={language}
        onChange={(event) => (isLanguage(event.target.value) ? setLanguage(event.target.value) : undefined)}
      >
        {Object.entries(LANGUAGES).map(([each, { label }]) => (
          <option key={each} value={each} lang={each}>
            {label}
          </option>
        ))}
      </SelectField>
    </Section>
  )
}
