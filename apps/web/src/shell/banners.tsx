/** What the user has to know before trusting this page. */
import { useEffect, useState } from 'react'
import { describeError, useClient, useLook, useStrings } from '../client/context.tsx'
import { keep, KEYS, readKept } from '../client/kept.ts'
import { Note } from '../ui/note.tsx'

/** Whether this is another identity than the one this browser had: its storage was deleted. */
function useLostIdentity(): boolean {
  const { status } = useClient()
  const [lost, setLost] = useState(false)
  const account = status?.account
  useEffect(() => {
    if (account === undefined) return
    const before = readKept(KEYS.account)
    setLost((already) => already || (before !== undefined && before !== account))
    keep(KEYS.account, account)
  }, [account])
  return lost
}

/** More than this, ms, and presence counts as old or not yet made (CLOCK_WINDOW_MS of core). */
const CLOCK_WINDOW_MS = 300_000
const MINUTE_MS = 60_000

export function Banners() {
  const strings = useStrings()
  const { failure, api, clockAheadMs } = useClient()
  const lost = useLostIdentity()
  return (
    <div className="grid gap-px">
      {globalThis.isSecureContext ? null : <Note look="warn">{strings.guest}</Note>}
      {Math.abs(clockAheadMs) > CLOCK_WINDOW_MS ? <WrongClock aheadMs={clockAheadMs} /> : null}
      {lost ? <Note look="warn">{strings.changedIdentity}</Note> : null}
      {failure === undefined || api !== undefined ? null : (
        <Note look="danger">
          {strings.start.failed} {describeError(strings, failure)}
        </Note>
      )}
    </div>
  )
}

function WrongClock({ aheadMs }: { readonly aheadMs: number }) {
  const { language, strings } = useLook()
  const minutes = new Intl.NumberFormat(language, { style: 'unit', unit: 'minute', unitDisplay: 'long', maximumFractionDigits: 0 })
  const say = aheadMs > 0 ? strings.clock.ahead : strings.clock.behind
  return (
    <Note look="warn">
      {say(minutes.format(Math.abs(aheadMs) / MINUTE_MS))} {strings.clock.hint}
    </Note>
  )
}
