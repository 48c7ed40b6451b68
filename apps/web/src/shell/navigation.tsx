import { Files, MessageCircle, Network, Settings, Users } from 'lucide-react'
import { useEffect } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { AREAS, linkTo, useRoute } from '../client/route.ts'

const ICONS = { chats: MessageCircle, people: Users, files: Files, network: Network, settings: Settings } as const

/** Alt with a digit leads to the area of that number. */
function useShortcuts(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      // Where Alt with a digit writes a character, as on a Mac, it is one.
      const area = event.altKey && !event.ctrlKey && !event.metaKey ? AREAS[Number(event.key) - 1] : undefined
      if (area === undefined) return
      event.preventDefault()
      globalThis.location.hash = linkTo(area)
      document.getElementById(`area-${area}`)?.focus()
    }
    globalThis.addEventListener('keydown', onKey)
    return () => globalThis.removeEventListener('keydown', onKey)
  }, [])
}

export function Navigation() {
  const { tabs, chats, people } = useStrings()
  const { area, contact } = useRoute()
  const { conversations: known } = useClient()
  const conversations = known ?? []
  const unread = conversations.reduce((sum, each) => sum + (each.muted ? 0 : each.unread), 0)
  const requests = conversations.filter(({ state, blocked }) => state === 'requested' && !blocked).length
  useShortcuts()
  useEffect(() => {
    document.title = unread === 0 ? 'Skein' : `(${unread}) Skein`
  }, [unread])
  // In an open conversation a phone has no room for it; the way back leads to it. A contact that is none has no way back.
  const isOpen = contact !== undefined && (known === undefined || known.some((each) => each.contact === contact))
  const hidden = isOpen ? 'hidden md:flex' : 'flex'
  return (
    <nav
      aria-label={tabs.all}
      className={`${hidden} shrink-0 justify-around border-line bg-surface max-md:border-t md:w-24 md:flex-col md:justify-start md:border-e md:py-2`}
    >
      {AREAS.map((each, index) => {
        const Icon = ICONS[each]
        return (
          <a
            key={each}
            id={`area-${each}`}
            href={linkTo(each)}
            aria-current={each === area ? 'page' : undefined}
            aria-keyshortcuts={`Alt+${index + 1}`}
            className={`relative grid min-w-0 flex-1 justify-items-center gap-0.5 px-0.5 py-2 text-xs md:flex-none md:py-3 ${each === area ? 'font-semibold text-accent' : 'text-quiet'}`}
          >
            <Icon aria-hidden="true" size={22} />
            <span className="max-w-full truncate">{tabs[each]}</span>
            {each === 'people' && requests > 0 ? <Badge count={requests} label={people.requestCount(requests)} /> : null}
            {each === 'chats' && unread > 0 ? <Badge count={unread} label={chats.unread(unread)} /> : null}
          </a>
        )
      })}
    </nav>
  )
}

export function Badge({
  count,
  label,
  className = 'absolute end-1/4 top-1',
}: {
  readonly count: number
  readonly label: string
  readonly className?: string
}) {
  return (
    <span className={`min-w-5 rounded-full bg-accent px-1.5 text-center text-xs leading-5 font-semibold text-on-accent ${className}`}>
      <span aria-hidden="true">{count}</span>
      <span className="sr-only">{label}</span>
    </span>
  )
}
