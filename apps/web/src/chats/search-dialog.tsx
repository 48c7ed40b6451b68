/** A search over everything that was said, or over one conversation. */
import { useEffect, useState } from 'react'
import { describeError, useClient, useModel, useStrings } from '../client/context.tsx'
import { useObservable } from '../client/observable.ts'
import { linkTo } from '../client/route.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { SelectField, TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Name } from '../ui/person.tsx'
import { useTimes } from '../ui/times.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { type Hit, MessageSearch } from './message-search.ts'

/** While somebody writes, the search waits for this long, ms. */
const PAUSE_MS = 150

export function SearchDialog({ onClose }: { onClose(): void }) {
  const { chats } = useStrings()
  const { talk } = useRareStrings()
  const { conversations = [] } = useClient()
  const [query, setQuery] = useState('')
  const [contact, setContact] = useState<string>()
  return (
    <Dialog title={chats.search} onClose={onClose}>
      <TextField data-first label={talk.searchFor} value={query} maxLength={400} onChange={(event) => setQuery(event.target.value)} />
      <SelectField
        label={talk.searchIn}
        value={contact ?? ''}
        onChange={(event) => setContact(event.target.value === '' ? undefined : event.target.value)}
      >
        <option value="">{talk.everywhere}</option>
        {conversations.map((each) => (
          <option key={each.contact} value={each.contact}>
            {each.name}
          </option>
        ))}
      </SelectField>
      <Hits query={query.trim()} contact={contact} onOpen={onClose} />
    </Dialog>
  )
}

interface HitsProps {
  readonly query: string
  readonly contact: string | undefined
  onOpen(): void
}

function Hits({ query, contact, onOpen }: HitsProps) {
  const strings = useStrings()
  const { talk } = useRareStrings()
  const { api } = useClient()
  const model = useModel()
  const [search] = useState(() => new MessageSearch(model))
  const { hits, hasOlder, error } = useObservable(search)
  useEffect(() => {
    if (api === undefined) return undefined
    const timer = setTimeout(() => void search.look({ query, contact }), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [api, search, query, contact])
  return (
    <>
      <p role="status" className="text-sm text-quiet">
        {hits === undefined ? '' : hits.length === 0 ? talk.nothingFound : talk.found(hits.length)}
      </p>
      {error === undefined ? null : <Note look="danger">{describeError(strings, error)}</Note>}
      <ul className="grid grid-cols-1 gap-1">
        {hits?.map((each) => (
          <li key={each.id}>
            <HitLink hit={each} onOpen={onOpen} />
          </li>
        ))}
      </ul>
      {hasOlder ? <Button onClick={() => void search.older()}>{talk.older}</Button> : null}
    </>
  )
}

function HitLink({ hit, onOpen }: { readonly hit: Hit; onOpen(): void }) {
  const times = useTimes()
  return (
    <a href={linkTo('chats', hit.contact, hit.id)} onClick={onOpen} className="block rounded-lg px-3 py-2 hover:bg-page">
      <span className="flex items-baseline justify-between gap-2">
        <Name name={hit.name} className="font-medium" />
        <time className="shrink-0 text-xs text-quiet">{times.whole(hit.created_at)}</time>
      </span>
      <bdi dir="auto" className="foreign line-clamp-2 text-sm text-quiet">
        {hit.text.slice(0, 400)}
      </bdi>
    </a>
  )
}
