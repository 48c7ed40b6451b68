import { MessageCircle, Search, Send } from 'lucide-react'
import { useState } from 'react'
import { AddButtons } from '../add/add-buttons.tsx'
import { useClient, useStrings } from '../client/context.tsx'
import type { Route } from '../client/route.ts'
import { Empty } from '../ui/empty.tsx'
import { ConversationList } from './conversation-list.tsx'
import { ConversationPane } from './conversation-pane.tsx'
import { SeveralDialog } from '../mail/lazy.ts'
import { SearchDialog } from './lazy.ts'

export function Chats({ contact, message }: Pick<Route, 'contact' | 'message'>) {
  const { chats } = useStrings()
  return (
    <div className="flex min-h-0 min-w-0 flex-1">
      <ChatsColumn isAlone={contact === undefined} />
      {contact === undefined ? (
        <main className="hidden min-w-0 flex-1 place-content-center md:grid">
          <Empty icon={MessageCircle} title={chats.choose} />
        </main>
      ) : (
        <ConversationPane key={contact} contact={contact} sought={message} />
      )}
    </div>
  )
}

function ChatsColumn({ isAlone }: { readonly isAlone: boolean }) {
  const { chats, general } = useStrings()
  const { conversations } = useClient()
  const [open, setOpen] = useState<'search' | 'several'>()
  return (
    <section
      aria-label={chats.title}
      className={`min-h-0 w-full flex-col border-line md:flex md:w-80 md:border-e ${isAlone ? 'flex' : 'hidden'}`}
    >
      <div className="flex flex-wrap items-center justify-between gap-2 p-3">
        <h1 className="text-xl font-semibold">{chats.title}</h1>
        <div className="flex">
          <button type="button" aria-label={chats.several} onClick={() => setOpen('several')} className="rounded-lg p-2 hover:bg-surface">
            <Send aria-hidden="true" size={20} />
          </button>
          <button type="button" aria-label={chats.search} onClick={() => setOpen('search')} className="rounded-lg p-2 hover:bg-surface">
            <Search aria-hidden="true" size={20} />
          </button>
        </div>
      </div>
      {open === 'search' ? <SearchDialog onClose={() => setOpen(undefined)} /> : null}
      {open === 'several' ? <SeveralDialog title={chats.several} onClose={() => setOpen(undefined)} /> : null}
      <div className="px-3 pb-3">
        <AddButtons />
      </div>
      {conversations === undefined ? <p className="p-4 text-quiet">{general.loading}</p> : null}
      {conversations?.length === 0 ? <Empty icon={MessageCircle} title={chats.empty} hint={chats.emptyHint} /> : null}
      {conversations === undefined || conversations.length === 0 ? null : <ConversationList conversations={conversations} />}
    </section>
  )
}
