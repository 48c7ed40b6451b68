/** The messages of a conversation: only those in view are in the page, however many there are. */
import type { HistoryMessage } from '@skein/node/browser'
import { ArrowDown } from 'lucide-react'
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { VList, type VListHandle } from 'virtua'
import { useClient, useStrings } from '../client/context.tsx'
import type { Conversation } from '../client/conversation.ts'
import { useObservable } from '../client/observable.ts'
import { isSameDay } from '../ui/days.ts'
import { useTimes, useToday } from '../ui/times.ts'
import { MessageRow } from './message-row.tsx'

/** Nearer to the end than this, px, the list follows new messages. */
const END_PX = 80
/** Nearer to the beginning than this, px, the page before is read: a few screens, so that nobody waits for it. */
const BEGINNING_PX = 2_000

export interface MessageListProps {
  readonly conversation: Conversation
  readonly name: string
  readonly unread: number
}

export function MessageList({ conversation, name, unread }: MessageListProps) {
  const { chats } = useStrings()
  const times = useTimes()
  useToday()
  const { messages, grewBackwards, complete } = useObservable(conversation)
  const list = useRef<VListHandle>(null)
  const [firstNew] = useState(() => firstUnread(messages, unread))
  const [atEnd, setAtEnd] = useState(firstNew === undefined)
  const toEnd = (): void => list.current?.scrollToIndex(conversation.get().messages.length - 1, { align: 'end' })
  useFollow(list, messages, { atEnd, firstNew })
  const marked = useSought(list, conversation)
  useSeen(conversation.contact, { lastId: messages.at(-1)?.id, unread: atEnd ? unread : 0 })
  useEffect(() => {
    // A list that needs no scrolling never tells of any.
    const frame = requestAnimationFrame(() => setAtEnd(isAtEnd(list.current)))
    return () => cancelAnimationFrame(frame)
  }, [])
  const onScroll = (offset: number): void => {
    setAtEnd(isAtEnd(list.current))
    if (offset < BEGINNING_PX) void conversation.older().catch(() => undefined)
  }
  return (
    <div className="relative min-h-0 flex-1">
      <VList
        ref={list}
        data={messages}
        shift={grewBackwards}
        onScroll={onScroll}
        bufferSize={600}
        role="log"
        aria-label={chats.messages(name)}
        tabIndex={0}
        className="px-3 py-2"
      >
        {(message, index) => (
          <MessageRow
            key={message.id}
            message={message}
            answered={message.reply_to === null ? undefined : messages.find(({ id }) => id === message.reply_to)}
            day={isSameDay(message.created_at, messages[index - 1]?.created_at ?? Infinity) ? undefined : times.day(message.created_at)}
            isFirst={complete && index === 0}
            isFirstNew={message.id === firstNew}
            isMarked={message.id === marked}
            conversation={conversation}
          />
        )}
      </VList>
      {atEnd ? null : (
        <button
          type="button"
          onClick={toEnd}
          aria-label={chats.toEnd}
          className="absolute end-4 bottom-3 rounded-full border border-line bg-surface p-3"
        >
          <ArrowDown aria-hidden="true" size={20} />
        </button>
      )}
    </div>
  )
}

function isAtEnd(list: VListHandle | null): boolean {
  return list === null || list.scrollSize - list.viewportSize - list.scrollOffset < END_PX
}

/** The first message that the user has not seen, of those that are loaded. */
function firstUnread(messages: readonly HistoryMessage[], unread: number): string | undefined {
  return unread === 0 ? undefined : messages.find(({ seen }) => !seen)?.id
}

/** Brings the message that is looked for into view. @returns its id */
function useSought(list: RefObject<VListHandle | null>, conversation: Conversation): string | undefined {
  const { sought } = useObservable(conversation)
  useEffect(() => {
    const index = sought === undefined ? -1 : conversation.get().messages.findIndex(({ id }) => id === sought.id)
    if (index >= 0) list.current?.scrollToIndex(index, { align: 'center' })
  }, [list, conversation, sought])
  return sought?.id
}

interface Following {
  readonly atEnd: boolean
  /** Where one begins to read. */
  readonly firstNew: string | undefined
}

/** Goes to a new last message, if it is the user's own or the list was at its end; at first to what is new. */
function useFollow(list: RefObject<VListHandle | null>, messages: readonly HistoryMessage[], { atEnd, firstNew }: Following): void {
  const shown = useRef<string>(undefined)
  useLayoutEffect(() => {
    const last = messages.at(-1)
    if (last === undefined || last.id === shown.current) return
    const isOpening = shown.current === undefined
    shown.current = last.id
    const start = isOpening ? messages.findIndex(({ id }) => id === firstNew) : -1
    if (start >= 0) list.current?.scrollToIndex(start, { align: 'start' })
    else if (atEnd || last.direction === 'out') list.current?.scrollToIndex(messages.length - 1, { align: 'end' })
  }, [list, messages, atEnd, firstNew])
}

/** Tells the client that what is in view has been seen, once somebody can have seen it. */
function useSeen(contact: string, { lastId, unread }: { readonly lastId: string | undefined; readonly unread: number }): void {
  const { api } = useClient()
  useEffect(() => {
    if (api === undefined || lastId === undefined || unread === 0) return
    const tell = (): void => {
      if (document.visibilityState === 'visible') api.seen({ contact, id: lastId }).catch(() => undefined)
    }
    tell()
    document.addEventListener('visibilitychange', tell)
    return () => document.removeEventListener('visibilitychange', tell)
  }, [api, contact, lastId, unread])
}
