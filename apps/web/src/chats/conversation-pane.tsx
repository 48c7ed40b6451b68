import type { ConversationView } from '@skein/node/browser'
import { ArrowLeft, Paperclip, ShieldCheck } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useClient, useModel, useStrings } from '../client/context.tsx'
import { Conversation } from '../client/conversation.ts'
import { useObservable } from '../client/observable.ts'
import { FileButton } from '../files/file-button.tsx'
import { Copying } from '../files/lazy.ts'
import { useFileTarget } from '../files/use-file-target.ts'
import { linkTo } from '../client/route.ts'
import { Note } from '../ui/note.tsx'
import { Avatar, Name } from '../ui/person.tsx'
import { useTimes } from '../ui/times.ts'
import { Composer } from './composer.tsx'
import { RequestButtons } from './lazy.ts'
import { MessageList } from './message-list.tsx'

export interface ConversationPaneProps {
  readonly contact: string
  /** Id of a message to be brought into view. */
  readonly sought: string | undefined
}

export function ConversationPane({ contact, sought }: ConversationPaneProps) {
  const model = useModel()
  const strings = useStrings()
  const [conversation] = useState(() => new Conversation(model, contact))
  useEffect(() => conversation.open(), [conversation])
  const { conversations } = useClient()
  const { loaded, isTyping } = useObservable(conversation)
  useEffect(() => {
    if (sought !== undefined && loaded) void conversation.seek(sought).catch(() => undefined)
  }, [conversation, sought, loaded])
  const known = conversations?.find((each) => each.contact === contact)
  const canSend = known?.state === 'accepted' && !known.blocked
  const { handlers, isOver, busy, problem, send } = useFileTarget(canSend ? [contact] : [])
  const attach = canSend ? (
    <FileButton
      label={strings.files.attach}
      isDisabled={busy}
      onFiles={send}
      className="grid size-11 shrink-0 place-items-center rounded-full"
    >
      <Paperclip aria-hidden="true" size={20} />
    </FileButton>
  ) : null
  return (
    <main {...handlers} className="flex min-h-0 min-w-0 flex-1 flex-col">
      {known === undefined ? (
        <p className="p-4 text-quiet">{conversations === undefined ? strings.general.loading : strings.chats.unknown}</p>
      ) : (
        <>
          <Heading person={known} isTyping={isTyping} />
          <Warnings person={known} />
          {loaded ? <MessageList conversation={conversation} name={known.name} unread={known.unread} /> : <div className="flex-1" />}
          {isOver ? <Note look="good">{strings.files.drop}</Note> : null}
          {busy ? <Copying /> : null}
          {problem === undefined ? null : <Note look="danger">{problem}</Note>}
          <Composer conversation={conversation} isDisabled={known.blocked || known.state === 'requested'} attach={attach} />
        </>
      )}
    </main>
  )
}

interface HeadingProps {
  readonly person: ConversationView
  readonly isTyping: boolean
}

function Heading({ person: { contact, name, online, last_seen, trust, blocked }, isTyping }: HeadingProps) {
  const { general, people, chats } = useStrings()
  const times = useTimes()
  const seen = last_seen === null ? people.never : people.lastSeen(times.whole(last_seen))
  return (
    <div className="flex items-center gap-3 border-b border-line bg-surface px-3 py-2">
      <a href={linkTo('chats')} aria-label={general.back} className="rounded-lg p-2 md:hidden">
        <ArrowLeft aria-hidden="true" size={20} />
      </a>
      <a href={linkTo('people', contact)} className="flex min-w-0 items-center gap-3" title={people.details(name)}>
        <Avatar name={name} online={online && !blocked} />
        <span className="min-w-0">
          <h1 className="flex items-center gap-1.5 font-semibold">
            <Name name={name} />
            {trust === 'verified' ? <ShieldCheck aria-label={people.verified} size={16} className="shrink-0 text-good" /> : null}
          </h1>
          <span className="block truncate text-sm text-quiet">
            {blocked ? people.blocked : isTyping ? chats.typing : online ? people.online : seen}
          </span>
        </span>
      </a>
    </div>
  )
}

function Warnings({ person }: { readonly person: ConversationView }) {
  const { contact, state, blocked, trust } = person
  const { chats, people } = useStrings()
  if (blocked) return <Note look="warn">{chats.blocked}</Note>
  if (trust === 'changed')
    return (
      <Note look="danger">
        {chats.changed}{' '}
        <a className="underline" href={linkTo('people', contact)}>
          {people.verify}
        </a>
      </Note>
    )
  if (state === 'requested')
    return (
      <div className="grid grid-cols-1 gap-2 border-b border-line bg-surface p-3">
        <p>{chats.requested}</p>
        <RequestButtons person={person} />
      </div>
    )
  return state === 'accepted' ? null : <Note look="warn">{chats.pending}</Note>
}
