/** Everything that is on its way and why, and the user's own mailboxes. */
import type { ApiClient, HistoryMessage, OutboxView } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { useClient, useModel } from '../client/context.tsx'
import { mailOf, type MailboxView } from '../client/mail.ts'
import { useObservable } from '../client/observable.ts'
import { linkTo } from '../client/route.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Note } from '../ui/note.tsx'
import { Name } from '../ui/person.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { OutboxRows } from './outbox-rows.tsx'

/** Messages of a conversation that are looked through for the words of what waits. */
const LOOK_BACK = 300
/** Messages that are listed; the rest are so many more. */
const MOST = 100

export function MailDialog({ onClose }: { onClose(): void }) {
  const { delivery: words } = useRareStrings()
  const mail = mailOf(useModel())
  const { outbox, mailboxes = [] } = useObservable(mail)
  const { busy, problem, run } = useAction()
  const messages = groupBy(outbox, ({ contact, id }) => `${contact} ${id}`)
  const texts = useTexts(outbox)
  return (
    <Dialog title={words.outbox} onClose={onClose}>
      {messages.length === 0 ? <p>{words.nothing}</p> : null}
      <ul className="grid grid-cols-1 gap-4">
        {messages.slice(0, MOST).map((rows) => (
          <li key={`${rows[0].contact} ${rows[0].id}`}>
            <Waiting rows={rows} message={texts.get(rows[0].id)} onOpen={onClose} />
          </li>
        ))}
      </ul>
      {messages.length > MOST ? <p className="text-quiet">+ {messages.length - MOST}</p> : null}
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {messages.length === 0 ? null : (
        <Button disabled={busy} onClick={() => void run(() => mail.tryNow())}>
          {words.tryNow}
        </Button>
      )}
      <Mailboxes mailboxes={mailboxes} />
    </Dialog>
  )
}

type Rows = readonly [OutboxView, ...OutboxView[]]

interface WaitingProps {
  readonly rows: Rows
  readonly message: HistoryMessage | undefined
  onOpen(): void
}

/** One message, with every device that does not have it yet. */
function Waiting({ rows, message, onOpen }: WaitingProps) {
  const { delivery: words } = useRareStrings()
  const [{ contact, name, id }] = rows
  return (
    <div className="grid grid-cols-1 gap-1" data-outbox={id}>
      <a href={linkTo('chats', contact, id)} onClick={onOpen} className="block rounded-lg hover:bg-page">
        <Name name={name} className="font-medium" />
        <bdi dir="auto" className="foreign line-clamp-2 text-sm">
          {message === undefined ? words.aside : message.text.slice(0, 400)}
        </bdi>
      </a>
      <OutboxRows rows={rows} />
    </div>
  )
}

function Mailboxes({ mailboxes }: { readonly mailboxes: readonly MailboxView[] }) {
  const { delivery: words } = useRareStrings()
  return (
    <section className="grid grid-cols-1 gap-2 border-t border-line pt-3">
      <h3 className="font-medium">{words.mailboxes}</h3>
      {mailboxes.length === 0 ? <p className="text-sm text-quiet">{words.noMailbox}</p> : null}
      {mailboxes.map(({ url, watching }) => (
        <p key={url} className="foreign text-sm text-quiet">
          {watching ? words.watched(url) : words.unwatched(url)}
        </p>
      ))}
    </section>
  )
}

function groupBy(rows: readonly OutboxView[], keyOf: (row: OutboxView) => string): readonly Rows[] {
  const groups = new Map<string, [OutboxView, ...OutboxView[]]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group === undefined) groups.set(keyOf(row), [row])
    else group.push(row)
  }
  return [...groups.values()]
}

/** What the messages say, by id: the newest of each conversation that has something waiting. */
function useTexts(outbox: readonly OutboxView[]): ReadonlyMap<string, HistoryMessage> {
  const { api } = useClient()
  const [texts, setTexts] = useState<ReadonlyMap<string, HistoryMessage>>(new Map())
  const contacts = [...new Set(outbox.map(({ contact }) => contact))].toSorted().join(' ')
  useEffect(() => {
    let isWanted = true
    if (api === undefined || contacts === '') return undefined
    void readTexts(api, contacts.split(' ')).then((read) => (isWanted ? setTexts(read) : undefined))
    return () => {
      isWanted = false
    }
  }, [api, contacts])
  return texts
}

async function readTexts(api: ApiClient, contacts: readonly string[]): Promise<ReadonlyMap<string, HistoryMessage>> {
  const none = (): { messages: HistoryMessage[] } => ({ messages: [] })
  const pages = await Promise.all(contacts.map((contact) => api.history({ contact, limit: LOOK_BACK }).catch(none)))
  return new Map(pages.flatMap(({ messages }) => messages.map((each) => [each.id, each] as const)))
}
