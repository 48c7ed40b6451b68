import type { ConversationView } from '@skein/node/browser'
import { Ban, BellOff } from 'lucide-react'
import { Virtualizer } from 'virtua'
import { useStrings } from '../client/context.tsx'
import { linkTo, useRoute } from '../client/route.ts'
import { Badge } from '../shell/navigation.tsx'
import { Avatar, Name } from '../ui/person.tsx'
import { useTimes } from '../ui/times.ts'
import { briefly } from './briefly.ts'
import { Tick } from './tick.tsx'

export function ConversationList({ conversations }: { readonly conversations: readonly ConversationView[] }) {
  const { contact } = useRoute()
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <Virtualizer data={conversations} as="ul" item="li" itemSize={68}>
        {(each) => <ConversationLink key={each.contact} conversation={each} isOpen={each.contact === contact} />}
      </Virtualizer>
    </div>
  )
}

function ConversationLink({ conversation, isOpen }: { readonly conversation: ConversationView; readonly isOpen: boolean }) {
  const { people } = useStrings()
  const times = useTimes()
  const { contact, name, online, last, muted, blocked } = conversation
  return (
    <a
      href={linkTo('chats', contact)}
      aria-current={isOpen ? 'true' : undefined}
      className={`flex items-center gap-3 px-3 py-2.5 ${isOpen ? 'bg-mine' : 'hover:bg-surface'}`}
    >
      <Avatar name={name} online={online && !blocked} />
      <span className="grid min-w-0 flex-1 grid-cols-1 gap-0.5">
        <span className="flex items-baseline justify-between gap-2">
          <Name name={name} className="font-medium" />
          {blocked ? <Ban aria-label={people.blocked} size={14} className="shrink-0 self-center text-danger" /> : null}
          {muted ? <BellOff aria-label={people.muted} size={14} className="shrink-0 self-center text-quiet" /> : null}
          {last === null ? null : <time className="shrink-0 text-xs text-quiet">{times.brief(last.created_at)}</time>}
        </span>
        <LastLine conversation={conversation} />
      </span>
    </a>
  )
}

function LastLine({ conversation: { last, state, unread } }: { readonly conversation: ConversationView }) {
  const { chats, people } = useStrings()
  const text = { accepted: chats.nothing, pending: people.waiting, requested: chats.wantsContact }[state]
  return (
    <span className="flex items-center gap-1.5 text-sm text-quiet">
      {last?.direction === 'out' ? <Tick state={last.state} /> : null}
      <bdi dir="auto" className="foreign min-w-0 flex-1 truncate">
        {last === null ? text : briefly(last, chats)}
      </bdi>
      {unread > 0 ? <Badge count={unread} label={chats.unread(unread)} className="shrink-0" /> : null}
    </span>
  )
}
