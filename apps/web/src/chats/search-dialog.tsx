/** A search over everything that was said. */
import type { ApiClient } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { describeError, useClient, useStrings } from '../client/context.tsx'
import { linkTo } from '../client/route.ts'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Name } from '../ui/person.tsx'
import { useTimes } from '../ui/times.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

/** While somebody writes, the search waits for this long, ms. */
const PAUSE_MS = 150
const MOST = 100

type Found = Awaited<ReturnType<ApiClient['search']>>['messages']

export function SearchDialog({ onClose }: { onClose(): void }) {
  const { chats } = useStrings()
  const { talk } = useRareStrings()
  const [query, setQuery] = useState('')
  const { found, problem } = useSearch(query.trim())
  return (
    <Dialog title={chats.search} onClose={onClose}>
      <TextField data-first label={talk.searchFor} value={query} maxLength={400} onChange={(event) => setQuery(event.target.value)} />
      <p role="status" className="text-sm text-quiet">
        {found === undefined ? '' : found.length === 0 ? talk.nothingFound : talk.found(found.length)}
      </p>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <ul className="grid grid-cols-1 gap-1">
        {found?.map((each) => (
          <li key={each.id}>
            <Hit hit={each} onOpen={onClose} />
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

function Hit({ hit, onOpen }: { readonly hit: Found[number]; onOpen(): void }) {
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

interface Answer {
  /** Undefined until there is an answer to what is asked now. */
  readonly found?: Found
  readonly problem?: string
}

function useSearch(query: string): Answer {
  const { api } = useClient()
  const strings = useStrings()
  const [answer, setAnswer] = useState<Answer & { readonly query: string }>()
  useEffect(() => {
    if (api === undefined || query === '') return
    const ask = (): void =>
      void api.search({ query, limit: MOST }).then(
        ({ messages }) => setAnswer({ query, found: messages }),
        (error: unknown) => setAnswer({ query, problem: describeError(strings, error) }),
      )
    const timer = setTimeout(ask, PAUSE_MS)
    return () => clearTimeout(timer)
  }, [api, query, strings])
  return answer?.query === query ? answer : {}
}
