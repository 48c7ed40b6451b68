/** What is accepted of a contact without asking, up to a size. */
import type { ApiClient } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { useClient } from '../client/context.tsx'
import { SelectField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { useAction } from '../ui/use-action.ts'
import { useAmount } from './amounts.ts'
import { useFileStrings } from './use-file-strings.ts'

/** Largest content, in bytes; 0: the user is asked. */
const LIMITS = [0, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000]

export function AutoAcceptance() {
  const words = useFileStrings()
  const { api, conversations = [] } = useClient()
  const [contact, setContact] = useState('')
  const possible = conversations.filter(({ state, blocked }) => state === 'accepted' && !blocked)
  if (api === undefined || possible.length === 0) return null
  return (
    <Section title={words.auto}>
      <p className="text-sm text-quiet">{words.autoHint}</p>
      <SelectField label={words.autoOf} value={contact} onChange={({ target }) => setContact(target.value)}>
        <option value="">{words.choose}</option>
        {possible.map(({ contact: account, name }) => (
          <option key={account} value={account}>
            {name}
          </option>
        ))}
      </SelectField>
      {contact === '' ? null : <Limit key={contact} api={api} contact={contact} />}
    </Section>
  )
}

interface Kept {
  readonly limit: number
  /** Chosen elsewhere, and kept as it is. */
  readonly folder: string
}

function Limit({ api, contact }: { readonly api: ApiClient; readonly contact: string }) {
  const words = useFileStrings()
  const amount = useAmount()
  const { busy, problem, run } = useAction()
  const [kept, setKept] = useState<Kept>()
  useEffect(() => {
    api
      .autoAccept({ contact })
      .then(({ auto }) => setKept({ limit: auto?.max_bytes ?? 0, folder: auto?.folder ?? '' }))
      .catch(() => undefined)
  }, [api, contact])
  if (kept === undefined) return null
  const { limit, folder } = kept
  const choose = (next: number): void =>
    void run(async () => {
      await api.autoAccept({ contact, auto: next === 0 ? null : { max_bytes: next, folder } })
      setKept({ limit: next, folder })
    })
  const limits = LIMITS.includes(limit) ? LIMITS : [...LIMITS, limit]
  return (
    <>
      <SelectField label={words.autoUpTo} value={limit} disabled={busy} onChange={({ target }) => choose(Number(target.value))}>
        {limits.map((each) => (
          <option key={each} value={each}>
            {each === 0 ? words.autoNothing : words.upTo(amount(each))}
          </option>
        ))}
      </SelectField>
      {folder === '' ? null : <p className="foreign text-sm">{words.intoFolder(folder)}</p>}
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
    </>
  )
}
