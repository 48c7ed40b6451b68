import type { HistoryMessage } from '@skein/node/browser'
import { memo } from 'react'
import { useStrings } from '../client/context.tsx'
import type { Conversation } from '../client/conversation.ts'
import { useTimes } from '../ui/times.ts'
import { Tick } from './tick.tsx'

export interface MessageRowProps {
  readonly message: HistoryMessage
  readonly startsDay: boolean
  /** Nothing was written before it. */
  readonly isFirst: boolean
  readonly conversation: Conversation
}

export const MessageRow = memo(function MessageRow({ message, startsDay, isFirst, conversation }: MessageRowProps) {
  const { chats } = useStrings()
  const times = useTimes()
  const { direction, text, state, created_at } = message
  const isMine = direction === 'out'
  return (
    <div>
      {isFirst ? (
        <p data-beginning className="py-3 text-center text-sm text-quiet">
          {chats.beginning}
        </p>
      ) : null}
      {startsDay ? <p className="py-3 text-center text-sm font-medium text-quiet">{times.day(created_at)}</p> : null}
      <div className={`flex py-1 ${isMine ? 'justify-end' : 'justify-start'}`} data-direction={direction}>
        <div className={`max-w-[85%] rounded-2xl border border-line px-3 py-2 md:max-w-[70%] ${isMine ? 'bg-mine' : 'bg-theirs'}`}>
          <p dir="auto" className="foreign whitespace-pre-wrap">
            {text}
          </p>
          <p className="flex items-center justify-end gap-1.5 text-xs text-quiet">
            <time dateTime={new Date(created_at).toISOString()} title={times.whole(created_at)}>
              {times.time(created_at)}
            </time>
            {isMine ? <Tick state={state} /> : null}
          </p>
          {state === 'failed' ? (
            <button
              type="button"
              className="min-h-9 text-sm font-medium text-danger underline"
              onClick={() => void conversation.send(text).catch(() => undefined)}
            >
              {chats.states.failed}. {chats.again}
            </button>
          ) : null}
        </div>
      </div>
    </div>
  )
})
