import type { HistoryMessage } from '@skein/node/browser'
import { Check, CheckCheck, CircleAlert, Clock } from 'lucide-react'
import { useStrings } from '../client/context.tsx'

const ICONS = { queued: Clock, carried: Check, delivered: CheckCheck, read: CheckCheck, failed: CircleAlert } as const
const COLOURS = {
  queued: 'text-quiet',
  carried: 'text-quiet',
  delivered: 'text-quiet',
  read: 'text-accent',
  failed: 'text-danger',
} as const

/** How far a message has come. */
export function Tick({ state }: { readonly state: HistoryMessage['state'] }) {
  const { chats } = useStrings()
  const Icon = ICONS[state]
  return (
    <span data-state={state} title={chats.states[state]} className={`inline-block shrink-0 ${COLOURS[state]}`}>
      <Icon aria-hidden="true" size={15} />
      <span className="sr-only">{chats.states[state]}</span>
    </span>
  )
}
