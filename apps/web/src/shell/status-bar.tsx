/** What is true of the connection now: nothing here is said because it was true before. */
import type { PeerView, StatusView } from '@skein/node/browser'
import { Cloud, CloudOff, LoaderCircle, Route as RouteIcon } from 'lucide-react'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { useRoute } from '../client/route.ts'
import { AbsentPath, MailButton } from '../mail/lazy.ts'
import type { Strings } from '../strings/languages.ts'

type Tone = 'good' | 'busy' | 'bad'
interface Said {
  readonly tone: Tone
  readonly text: string
}

const ICONS = { good: Cloud, busy: LoaderCircle, bad: CloudOff } as const
const COLOURS = { good: 'text-good', busy: 'text-quiet', bad: 'text-danger' } as const

function subscribe(listener: () => void): () => void {
  globalThis.addEventListener('online', listener)
  globalThis.addEventListener('offline', listener)
  return () => {
    globalThis.removeEventListener('online', listener)
    globalThis.removeEventListener('offline', listener)
  }
}

const hostOf = (url: string): string => URL.parse(url)?.host ?? url

/** Before this, ms after its start, a relay that is not connected has merely not been reached yet. */
const FIRST_TRY_MS = 5_000

export interface Circumstances {
  /** The device has a network. */
  readonly online: boolean
  /** The client has just started. */
  readonly isFresh: boolean
}

export function describeStatus(strings: Strings, status: StatusView | undefined, { online, isFresh }: Circumstances): Said {
  const words = strings.status
  if (status === undefined) return { tone: 'busy', text: words.starting }
  const joined = status.relays.find(({ reserved }) => reserved)
  if (joined !== undefined) return { tone: 'good', text: words.joined(hostOf(joined.url)) }
  const host = status.relays.find(({ connected, gives_places }) => connected && !gives_places)
  if (host !== undefined) return { tone: 'good', text: words.joined(hostOf(host.url)) }
  if (!online) return { tone: 'bad', text: words.offline }
  const joining = status.relays.find(({ connected }) => connected || isFresh)
  if (joining !== undefined) return { tone: 'busy', text: words.joining(hostOf(joining.url)) }
  const [away] = status.relays
  return { tone: 'bad', text: away === undefined ? words.noRelay : words.away(hostOf(away.url)) }
}

const BEST_FIRST = ['lan', 'direct', 'mapped', 'punched', 'relayed', 'mesh'] as const

/** The best path to any device of the contact. */
export function pathTo(peers: readonly PeerView[], contact: string | undefined): PeerView['path'] {
  const paths = peers.filter((each) => each.contact === contact).map(({ path }) => path)
  return BEST_FIRST.find((each) => paths.includes(each)) ?? 'none'
}

/** After this, ms, with a client there is time to load what no first message needs. */
const SETTLED_AFTER_MS = 3_000

function useIsSettled(api: unknown): boolean {
  const [isSettled, setSettled] = useState(false)
  useEffect(() => {
    if (api === undefined) return undefined
    const timer = setTimeout(() => setSettled(true), SETTLED_AFTER_MS)
    return () => clearTimeout(timer)
  }, [api])
  return isSettled && api !== undefined
}

export function PathLine({ path, text }: { readonly path: PeerView['path'] | 'mailbox'; readonly text: string }) {
  return (
    <div className="flex min-w-0 items-center gap-2 text-quiet" data-path={path}>
      <RouteIcon aria-hidden="true" size={16} />
      <span>{text}</span>
    </div>
  )
}

export function StatusBar() {
  const strings = useStrings()
  const { api, status, peers, since, failure } = useClient()
  const { area, contact } = useRoute()
  const isSettled = useIsSettled(api)
  const online = useSyncExternalStore(
    subscribe,
    () => navigator.onLine,
    () => true,
  )
  const { tone, text } =
    api === undefined && failure !== undefined
      ? { tone: 'bad' as const, text: strings.status.stopped }
      : describeStatus(strings, api === undefined ? undefined : status, {
          online,
          isFresh: performance.now() - since < FIRST_TRY_MS,
        })
  const Icon = ICONS[tone]
  const path = pathTo(peers, contact)
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line bg-surface px-3 py-1.5 text-sm">
      <div role="status" aria-label={strings.status.label} data-tone={tone} className={`flex min-w-0 items-center gap-2 ${COLOURS[tone]}`}>
        <Icon aria-hidden="true" size={16} className={tone === 'busy' ? 'animate-spin' : ''} />
        <span className="foreign min-w-0">{text}</span>
      </div>
      {isSettled ? <MailButton /> : null}
      {area === 'chats' && contact !== undefined && api !== undefined ? (
        path === 'none' && isSettled ? (
          <AbsentPath contact={contact} />
        ) : (
          <PathLine path={path} text={strings.status.path[path]} />
        )
      ) : null}
    </header>
  )
}
