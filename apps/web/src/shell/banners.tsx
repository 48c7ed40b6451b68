/** What the user has to know before trusting this page. */
import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'
import { useEffect, useRef, useState } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { keep, KEYS, readKept } from '../client/kept.ts'
import { Note } from '../ui/note.tsx'

const WrongClock = dynamic(() => import('./wrong-clock.tsx').then((module) => module.WrongClock), { ssr: false, loading: NotLoaded })
const Trouble = dynamic(() => import('./trouble.tsx').then((module) => module.Trouble), { ssr: false, loading: NotLoaded })

/** Whether this is another identity than the one this browser had: its storage was deleted. */
function useLostIdentity(hosted: boolean): boolean {
  const { status } = useClient()
  const [lost, setLost] = useState(false)
  const account = status?.account
  const shown = useRef<string>(undefined)
  useEffect(() => {
    if (account === undefined) return
    // The browser may have deleted this, too, while the page was open.
    const before = readKept(KEYS.account) ?? shown.current
    shown.current = account
    // Behind a window of the desktop program another account is the user's own doing.
    setLost((already) => already || (!hosted && before !== undefined && before !== account))
    keep(KEYS.account, account)
  }, [account, hosted])
  return lost
}

/** More than this, ms, and presence counts as old or not yet made (CLOCK_WINDOW_MS of core). */
const CLOCK_WINDOW_MS = 300_000

/** A client that has not come within this, ms, is waited for in words. */
const SLOW_MS = 8_000

function useIsSlow(isWaiting: boolean): boolean {
  const [isSlow, setSlow] = useState(false)
  useEffect(() => {
    setSlow(false)
    if (!isWaiting) return undefined
    const timer = setTimeout(() => setSlow(true), SLOW_MS)
    return () => clearTimeout(timer)
  }, [isWaiting])
  return isSlow
}

export function Banners({ hosted }: { readonly hosted: boolean }) {
  const strings = useStrings()
  const { failure, api, status, revoked, silent } = useClient()
  const lost = useLostIdentity(hosted)
  const isSlow = useIsSlow(api === undefined && failure === undefined && !silent)
  const clockAheadMs = status?.clock_ahead_ms ?? 0
  return (
    <div className="grid grid-cols-1 gap-px">
      {globalThis.isSecureContext ? null : <Note look="warn">{strings.guest}</Note>}
      {Math.abs(clockAheadMs) > CLOCK_WINDOW_MS ? <WrongClock aheadMs={clockAheadMs} /> : null}
      {lost ? <Note look="warn">{strings.changedIdentity}</Note> : null}
      {revoked ? <Trouble what="revoked" /> : null}
      {silent ? <Trouble what="silent" /> : null}
      {isSlow ? <Trouble what={hosted ? 'hostGone' : 'slow'} /> : null}
      {failure === undefined || api !== undefined ? null : <Trouble what={{ failure }} />}
    </div>
  )
}
