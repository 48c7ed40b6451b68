/** What the user has to know before trusting this page. */
import { useEffect, useState } from 'react'
import { describeError, useClient, useStrings } from '../client/context.tsx'
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

export function Banners() {
  const strings = useStrings()
  const { failure, api } = useClient()
  const lost = useLostIdentity()
  return (
    <div className="grid gap-px">
      {globalThis.isSecureContext ? null : <Note look="warn">{strings.guest}</Note>}
      {lost ? <Note look="warn">{strings.changedIdentity}</Note> : null}
      {failure === undefined || api !== undefined ? null : (
        <Note look="danger">
          {strings.start.failed} {describeError(strings, failure)}
        </Note>
      )}
    </div>
  )
}
