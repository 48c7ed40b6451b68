/** An invite, or a link for devices, that the page was opened with. Whoever has just been welcomed came for an invite; anybody else is asked first. */
import { useCallback, useEffect, useState } from 'react'
import { useClient, useModel, useStrings } from '../client/context.tsx'
import { inviteIn, isDeviceLink, linkTo } from '../client/route.ts'
import { Button } from '../ui/button.tsx'
import { LazyDialog } from '../ui/lazy-dialog.ts'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { IncomingLink } from './lazy.ts'

export function IncomingInvite({ welcomed }: { readonly welcomed: boolean }) {
  const [invite, setInvite] = useState(() => inviteIn(globalThis.location))
  const [isConfirmed, setConfirmed] = useState(welcomed)
  useEffect(() => {
    const look = (): void => {
      const found = inviteIn(globalThis.location)
      if (found === undefined) return
      setConfirmed(false)
      setInvite(found)
    }
    globalThis.addEventListener('hashchange', look)
    return () => globalThis.removeEventListener('hashchange', look)
  }, [])
  const done = useCallback((hash: string) => {
    // The secret leaves the address bar, and with it the history of the browser.
    globalThis.history.replaceState(null, '', hash)
    globalThis.dispatchEvent(new HashChangeEvent('hashchange'))
    setInvite(undefined)
  }, [])
  if (invite === undefined) return null
  if (isDeviceLink(invite)) return <IncomingLink key={invite} link={invite} onClose={() => done('#/settings')} />
  return <TakeInvite key={invite} invite={invite} isConfirmed={isConfirmed} onDone={done} />
}

interface TakeInviteProps {
  readonly invite: string
  readonly isConfirmed: boolean
  onDone(hash: string): void
}

function TakeInvite({ invite, isConfirmed, onDone }: TakeInviteProps) {
  const { add, general } = useStrings()
  const model = useModel()
  const { api } = useClient()
  const { busy, problem, run } = useAction()
  const [isWanted, setWanted] = useState(isConfirmed)
  const take = useCallback(() => {
    if (!isWanted || api === undefined) return
    void run(async () => {
      onDone(linkTo('chats', await model.add(invite)))
    })
  }, [isWanted, api, invite, model, onDone, run])
  useEffect(take, [take])
  // Who came for it has nothing to decide, unless it fails: the code of dialogs is not waited for.
  if (isConfirmed && problem === undefined) return <Adding />
  return (
    <LazyDialog title={isWanted ? add.title : add.confirmTitle} onClose={() => onDone('#/chats')}>
      {isWanted ? null : <p>{add.confirmText}</p>}
      {isWanted && problem === undefined ? <p role="status">{add.adding}</p> : null}
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={() => onDone('#/chats')}>{general.cancel}</Button>
        {isWanted ? null : (
          <Button look="main" onClick={() => setWanted(true)}>
            {general.add}
          </Button>
        )}
        {isWanted && problem !== undefined ? (
          <Button look="main" disabled={busy} onClick={take}>
            {general.retry}
          </Button>
        ) : null}
      </div>
    </LazyDialog>
  )
}

function Adding() {
  const { add } = useStrings()
  return (
    <p role="status" className="fixed inset-x-0 bottom-0 z-20 border-t border-line bg-surface p-5 text-center text-ink">
      {add.adding}
    </p>
  )
}
