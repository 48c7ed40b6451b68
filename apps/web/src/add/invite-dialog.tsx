import { useCallback, useEffect, useState } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Note } from '../ui/note.tsx'
import { useTimes } from '../ui/times.ts'
import { useAction } from '../ui/use-action.ts'
import { QrImage } from './lazy.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

interface Made {
  readonly invite: string
  readonly expires_at: number
  /** The same at other addresses of this machine. */
  readonly others: readonly string[]
}

/** The next of the machine's addresses in place of the one that is shown. */
function elsewhere({ invite, others: [next = invite, ...rest], expires_at }: Made): Made {
  return { invite: next, expires_at, others: [...rest, invite] }
}

/** The user's own invite, as a link and as a QR code. */
export function InviteDialog({ onClose }: { onClose(): void }) {
  const { general } = useStrings()
  const { inviting: words } = useRareStrings()
  const { api, status } = useClient()
  const [made, setMade] = useState<Made>()
  const [isHere, setHere] = useState(false)
  const [revoked, setRevoked] = useState<number>()
  const { busy, problem, run } = useAction(words.problems)
  const make = useCallback(
    (here = false) =>
      run(async () => {
        setMade(await api?.invite({ here }))
        setHere(here)
      }),
    [api, run],
  )
  const revoke = (one: string | undefined): Promise<boolean> =>
    run(async () => {
      const answer = await api?.revoke(one === undefined ? {} : { invite: one })
      setRevoked(answer?.revoked)
      setMade(undefined)
    })
  useEffect(() => void make(), [make])
  const isJoined = status?.relays.some(({ reserved }) => reserved) ?? false
  return (
    <Dialog title={words.title} onClose={onClose}>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {revoked === undefined ? null : <Note look="good">{words.revoked(revoked)}</Note>}
      {made === undefined ? null : (
        <>
          <p className="text-quiet">{isHere ? words.hereText : words.text}</p>
          {isJoined || isHere ? null : <Note look="warn">{status?.pid === 0 ? words.noRelayPage : words.noRelay}</Note>}
          <InviteLink made={made} />
          {status?.serves_page === true && !isHere ? (
            <Button disabled={busy} onClick={() => void make(true)}>
              {words.here}
            </Button>
          ) : null}
          {made.others.length > 0 ? <Button onClick={() => setMade(elsewhere(made))}>{words.elsewhere}</Button> : null}
        </>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        {made === undefined ? (
          <Button disabled={busy} onClick={() => void make()}>
            {words.another}
          </Button>
        ) : (
          <Button look="danger" disabled={busy} onClick={() => void revoke(made.invite)}>
            {words.revoke}
          </Button>
        )}
        <Button look="danger" disabled={busy} onClick={() => void revoke(undefined)}>
          {words.revokeAll}
        </Button>
        <Button look="main" onClick={onClose}>
          {general.close}
        </Button>
      </div>
    </Dialog>
  )
}

function InviteLink({ made: { invite, expires_at } }: { readonly made: Made }) {
  const { inviting: words } = useRareStrings()
  const times = useTimes()
  const share = (navigator as Partial<Navigator>).share
  return (
    <>
      <QrImage text={invite} label={words.code} />
      <input
        readOnly
        aria-label={words.link}
        value={invite}
        dir="ltr"
        className="min-h-11 w-full rounded-lg border border-quiet bg-page px-3"
        onFocus={(event) => event.target.select()}
      />
      <p className="text-sm text-quiet">{words.expires(times.whole(expires_at))}</p>
      <div className="flex flex-wrap gap-2">
        <CopyButton text={invite} />
        {share === undefined ? null : (
          <Button onClick={() => void navigator.share({ url: invite }).catch(() => undefined)}>{words.share}</Button>
        )}
      </div>
    </>
  )
}
