/** What a message says, of whatever kind it is. */
import type { HistoryMessage } from '@skein/node/browser'
import { lazy, Suspense, useState } from 'react'
import { AddDialog } from '../add/lazy.ts'
import { spellDuration } from '../ui/duration.ts'
import { useLook, useStrings } from '../client/context.tsx'
import { FileMessage } from '../files/lazy.ts'

/** Where it cannot be loaded the text stands without links. */
const Unlinked = ({ text }: { readonly text: string }) => [text]
const LinkedText = lazy(() =>
  import('./linked-text.tsx').then(
    ({ LinkedText: each }) => ({ default: each }),
    () => ({ default: Unlinked }),
  ),
)

/** Whether there may be a link: what finds links is loaded for such texts alone. */
const HAS_LINK = /https?:\/\//i

export interface MessageBodyProps {
  readonly message: HistoryMessage
  /** The message that is answered, if it is among those that are shown. */
  readonly answered: HistoryMessage | undefined
  /** The user wants to see the message that is answered. */
  onAnswered(): void
}

export function MessageBody({ message, answered, onAnswered }: MessageBodyProps) {
  const { chats } = useStrings()
  if (message.deleted_at !== null) return <p className="text-quiet italic">{chats.takenBack}</p>
  if (message.kind === 'unknown') return <p className="text-quiet italic">{chats.newer}</p>
  if (message.kind === 'file') return <FileMessage message={message} />
  if (message.kind === 'contact') return <SharedContact name={message.text} account={message.shared ?? ''} />
  return (
    <>
      {message.reply_to === null ? null : (
        <button type="button" title={chats.toAnswered} onClick={onAnswered} className="mb-1 block w-full border-s-2 border-accent ps-2">
          <span dir="auto" className="foreign line-clamp-2 text-sm text-quiet">
            {answered === undefined ? chats.earlier : answered.deleted_at === null ? answered.text : chats.takenBack}
          </span>
        </button>
      )}
      <p dir="auto" className="foreign whitespace-pre-wrap">
        {HAS_LINK.test(message.text) ? (
          <Suspense fallback={message.text}>
            <LinkedText text={message.text} />
          </Suspense>
        ) : (
          message.text
        )}
      </p>
    </>
  )
}

function SharedContact({ name, account }: { readonly name: string; readonly account: string }) {
  const { chats, general } = useStrings()
  const [isAdding, setAdding] = useState(false)
  return (
    <p>
      {chats.sharedContact} <bdi className="foreign font-medium">{name === '' ? general.noName : name}</bdi>{' '}
      <button type="button" className="min-h-9 underline" onClick={() => setAdding(true)}>
        {general.add}
      </button>
      {isAdding ? <AddDialog given={account} called={name} onClose={() => setAdding(false)} /> : null}
    </p>
  )
}

/** A line of the conversation itself: how long messages stay from now on. */
export function TimerLine({ after }: { readonly after: number | null }) {
  const { chats } = useStrings()
  const duration = useDuration()
  return <p className="py-2 text-center text-sm text-quiet">{after === null ? chats.timerOff : chats.timerSet(duration(after))}</p>
}

/** Milliseconds in words. */
export function useDuration(): (ms: number) => string {
  const { language } = useLook()
  return (ms) => spellDuration(ms, language)
}
