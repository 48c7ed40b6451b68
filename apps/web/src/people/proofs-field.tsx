/** Whether delivery proofs are made with a contact, or with everybody. */
import { useEffect, useState } from 'react'
import { useClient } from '../client/context.tsx'
import { Note } from '../ui/note.tsx'
import { Toggle } from '../ui/toggle.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

interface Wishes {
  readonly ours: boolean
  readonly theirs: boolean | null
}

/** Without `contact`: for everybody of whom nothing else was said. */
export function ProofsField({ contact }: { readonly contact?: string }) {
  const { proofs } = useRareStrings()
  const { api } = useClient()
  const [wishes, setWishes] = useState<Wishes>()
  const { busy, problem, run } = useAction()
  const whom = contact === undefined ? {} : { contact }
  useEffect(() => {
    api?.proofs(contact === undefined ? {} : { contact }).then(setWishes, () => undefined)
  }, [api, contact])
  if (wishes === undefined) return null
  const allow = (allowed: boolean): void => {
    if (!busy) void run(async () => setWishes(await api?.proofs({ ...whom, allowed })))
  }
  return (
    <div className="grid grid-cols-1 gap-1">
      <Toggle label={contact === undefined ? proofs.allowAll : proofs.allow} checked={wishes.ours} onChange={allow} />
      <p className="text-sm text-quiet">{proofs.reveals}</p>
      {wishes.ours && wishes.theirs !== null ? (
        <p className="text-sm text-quiet">{wishes.theirs ? proofs.theyAllow : proofs.theyDoNot}</p>
      ) : null}
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
    </div>
  )
}
