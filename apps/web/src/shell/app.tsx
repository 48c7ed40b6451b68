/** The whole interface. */
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'
import { useEffect, useState } from 'react'
import { LookProvider, ModelProvider } from '../client/context.tsx'
import { KEYS, readKept } from '../client/kept.ts'
import { ClientModel } from '../client/model.ts'
import { useObservable } from '../client/observable.ts'
import { IncomingInvite } from '../add/incoming-invite.tsx'
import { Areas } from './areas.tsx'
import { Banners } from './banners.tsx'
import { Navigation } from './navigation.tsx'
import { Session } from './session.ts'
import { StatusBar } from './status-bar.tsx'
import { Welcome } from './welcome.tsx'

const Unlock = dynamic(() => import('./unlock.tsx').then((module) => module.Unlock), { ssr: false, loading: NotLoaded })

function startSession() {
  const model = new ClientModel()
  return { model, session: new Session(model) }
}

/** A page of a program on this computer needs no keeping: its address changes from start to start. */
function keepForLater(session: Session): void {
  if ('serviceWorker' in navigator && !session.hosted) navigator.serviceWorker.register('/sw.js').catch(() => undefined)
}

/** A file that is dropped where nobody takes it would be opened by the browser in place of the page. */
function keepPage(event: DragEvent): void {
  if (event.defaultPrevented || event.dataTransfer?.types.includes('Files') !== true) return
  event.preventDefault()
  event.dataTransfer.dropEffect = 'none'
}

export function App() {
  const [{ model, session }] = useState(startSession)
  useEffect(() => {
    void session.begin().then(() => keepForLater(session))
    // Few want to be called; it may be asked for in another tab.
    const call = (): void => {
      if (readKept(KEYS.notify) === 'yes') void import('./notifications.ts').then(({ callUser }) => callUser(model))
    }
    call()
    globalThis.addEventListener('storage', call)
    return () => globalThis.removeEventListener('storage', call)
  }, [session, model])
  useEffect(() => {
    for (const type of ['dragover', 'drop'] as const) globalThis.addEventListener(type, keepPage)
    return () => {
      for (const type of ['dragover', 'drop'] as const) globalThis.removeEventListener(type, keepPage)
    }
  }, [])
  return (
    <LookProvider>
      <ModelProvider model={model}>
        <Stages session={session} />
      </ModelProvider>
    </LookProvider>
  )
}

function Stages({ session }: { readonly session: Session }) {
  const stage = useObservable(session)
  if (stage.at === 'looking') return null
  if (stage.at === 'welcome') return <Welcome session={session} isLost={stage.isLost} />
  if (stage.at === 'locked') return <Unlock session={session} again={stage.again} opening={stage.opening} />
  return (
    <div className="flex h-full flex-col">
      <StatusBar />
      <Banners hosted={session.hosted} />
      <div className="flex min-h-0 flex-1 flex-col-reverse md:flex-row">
        <Navigation />
        <Areas hosted={session.hosted} />
      </div>
      <IncomingInvite welcomed={session.welcomed} />
    </div>
  )
}
