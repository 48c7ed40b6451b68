import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'
import { useStrings } from '../client/context.tsx'
import { linkTo, useRoute } from '../client/route.ts'
import { Chats } from '../chats/chats.tsx'
import { Note } from '../ui/note.tsx'
import { ErrorBoundary } from './error-boundary.tsx'

// Only what the first message needs is loaded at once.
const People = dynamic(() => import('../people/people.tsx').then((module) => module.People), { ssr: false, loading: NotLoaded })
const Files = dynamic(() => import('../files/files.tsx').then((module) => module.Files), { ssr: false, loading: NotLoaded })
const Network = dynamic(() => import('../network/network.tsx').then((module) => module.Network), { ssr: false, loading: NotLoaded })
const Settings = dynamic(() => import('../settings/settings.tsx').then((module) => module.Settings), { ssr: false, loading: NotLoaded })

export function Areas({ hosted }: { readonly hosted: boolean }) {
  const { area, contact } = useRoute()
  return (
    <ErrorBoundary key={`${area} ${contact ?? ''}`} instead={<Broken />}>
      <Area hosted={hosted} />
    </ErrorBoundary>
  )
}

function Broken() {
  const { general } = useStrings()
  return (
    <main className="grid flex-1 content-start gap-3 p-4">
      <Note look="danger">{general.failed}</Note>
      <a href={linkTo('people')} className="text-accent underline">
        {general.back}
      </a>
    </main>
  )
}

function Area({ hosted }: { readonly hosted: boolean }) {
  const { area, contact, message } = useRoute()
  if (area === 'people') return <People contact={contact} />
  if (area === 'files') return <Files />
  if (area === 'network') return <Network />
  if (area === 'settings') return <Settings hosted={hosted} />
  return <Chats contact={contact} message={message} />
}
