import type { HistoryMessage } from '@skein/node/browser'
import { MoreHorizontal } from 'lucide-react'
import { memo, useState } from 'react'
import { useStrings } from '../client/context.tsx'
import type { Conversation } from '../client/conversation.ts'
import { useAction } from '../ui/use-action.ts'
import { useTimes } from '../ui/times.ts'
import { MessageActions } from './lazy.ts'
import { MessageBody, TimerLine } from './message-body.tsx'
import { Tick } from './tick.tsx'

export interface MessageRowProps {
  readonly message: HistoryMessage
  /** The message that it answers, if that is shown. */
  readonly answered: HistoryMessage | undefined
  /** With it begins a day, which is called so. */
  readonly day: string | undefined
  /** Nothing was written before it. */
  readonly isFirst: boolean
  /** With it begins what was unread when the conversation was opened. */
  readonly isFirstNew: boolean
  /** Somebody has looked for it. */
  readonly isMarked: boolean
  readonly conversation: Conversation
}

export const MessageRow = memo(function MessageRow({
  message,
  answered,
  day,
  isFirst,
  isFirstNew,
  isMarked,
  conversation,
}: MessageRowProps) {
  const { chats } = useStrings()
  return (
    <div data-marked={isMarked ? '' : undefined} className={isMarked ? 'rounded-lg outline-2 -outline-offset-2 outline-accent' : ''}>
      {isFirst ? (
        <p data-beginning className="py-3 text-center text-sm text-quiet">
          {chats.beginning}
        </p>
      ) : null}
      {day === undefined ? null : <p className="py-3 text-center text-sm font-medium text-quiet">{day}</p>}
      {isFirstNew ? (
        <p className="my-2 border-t border-accent pt-1 text-center text-sm font-medium text-accent">{chats.newMessages}</p>
      ) : null}
      {message.kind === 'timer' ? (
        <TimerLine after={message.disappear_after_ms} />
      ) : (
        <Bubble message={message} answered={answered} conversation={conversation} />
      )}
    </div>
  )
})

/** To the message that is answered. */
function seek(conversation: Conversation, { reply_to: id }: HistoryMessage): void {
  if (id !== null) conversation.seek(id).catch(() => undefined)
}

type BubbleProps = Pick<MessageRowProps, 'message' | 'answered' | 'conversation'>

function Bubble({ message, answered, conversation }: BubbleProps) {
  const { chats } = useStrings()
  const [isOpen, setOpen] = useState(false)
  const isMine = message.direction === 'out'
  return (
    <div className={`group flex items-center gap-1 py-1 ${isMine ? 'flex-row-reverse' : ''}`} data-direction={message.direction}>
      <div className={`max-w-[85%] min-w-0 rounded-2xl border border-line px-3 py-2 md:max-w-[70%] ${isMine ? 'bg-mine' : 'bg-theirs'}`}>
        <MessageBody message={message} answered={answered} onAnswered={() => seek(conversation, message)} />
        <Reactions message={message} />
        <Facts message={message} />
        {message.state === 'failed' && message.deleted_at === null ? <Failed message={message} conversation={conversation} /> : null}
      </div>
      {message.deleted_at === null ? (
        <button
          type="button"
          aria-label={chats.actions}
          onClick={() => setOpen(true)}
          className="shrink-0 rounded-full p-2 text-quiet hover:bg-surface focus-visible:opacity-100 md:group-hover:opacity-100 md:[@media(hover:hover)]:opacity-0 md:[@media(hover:hover)]:group-hover:opacity-100"
        >
          <MoreHorizontal aria-hidden="true" size={18} />
        </button>
      ) : null}
      {isOpen ? <MessageActions message={message} conversation={conversation} onClose={() => setOpen(false)} /> : null}
    </div>
  )
}

function Facts({ message }: { readonly message: HistoryMessage }) {
  const { chats } = useStrings()
  const times = useTimes()
  const { direction, state, created_at, edited_at, deleted_at } = message
  return (
    <p className="flex items-center justify-end gap-1.5 text-xs text-quiet">
      {edited_at === null || deleted_at !== null ? null : <span>{chats.edited}</span>}
      <time dateTime={times.machine(created_at)} title={times.whole(created_at)}>
        {times.time(created_at)}
      </time>
      {direction === 'out' && deleted_at === null ? <Tick state={state} /> : null}
    </p>
  )
}

function Reactions({ message: { own_reaction: own, contact_reaction: theirs } }: { readonly message: HistoryMessage }) {
  const { chats } = useStrings()
  if (own === null && theirs === null) return null
  return (
    <p className="mt-1 flex gap-1" data-reactions>
      {[...new Set([own, theirs])].map((each) =>
        each === null ? null : (
          <span
            key={each}
            className="foreign rounded-full border border-line bg-surface px-2 text-sm"
            title={each === own ? chats.you : ''}
          >
            {each}
          </span>
        ),
      )}
    </p>
  )
}

function Failed({ message, conversation }: Pick<BubbleProps, 'message' | 'conversation'>) {
  const { chats, errors } = useStrings()
  const { busy, problem, run } = useAction()
  const known: Readonly<Record<string, string>> = errors
  const reason = problem ?? known[message.reason ?? '']
  return (
    <div className="text-sm text-danger">
      {reason === undefined ? null : <p role={problem === undefined ? undefined : 'alert'}>{reason}</p>}
      {message.reason === 'restored' ? null : (
        <button
          type="button"
          disabled={busy}
          className="min-h-9 font-medium underline"
          onClick={() => void run(() => conversation.retry(message.id))}
        >
          {chats.states.failed}. {chats.again}
        </button>
      )}
    </div>
  )
}
