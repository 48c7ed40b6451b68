import dynamic from 'next/dynamic'
import { useRoute } from '../client/route.ts'
import { Chats } from '../chats/chats.tsx'

// Only what the first message needs is loaded at once.
const People = dynamic(() => import('../people/people.tsx').then((module) => module.People), { ssr: false })
const Files = dynamic(() => import('../files/files.tsx').then((module) => module.Files), { ssr: false })
const Network = dynamic(() => import('../network/network.tsx').then((module) => module.Network), { ssr: false })
const Settings = dynamic(() => import('../settings/settings.tsx').then((module) => module.Settings), { ssr: false })

export function Areas({ hosted }: { readonly hosted: boolean }) {
  const { area, contact, message } = useRoute()
  if (area === 'people') return <People contact={contact} />
  if (area === 'files') return <Files />
  if (area === 'network') return <Network />
  if (area === 'settings') return <Settings hosted={hosted} />
  return <Chats contact={contact} message={message} />
}
