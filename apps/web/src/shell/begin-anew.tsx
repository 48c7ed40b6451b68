/** The way out where what is stored cannot be used any more. */
import { useState } from 'react'
import { beginAnew } from '../client/own-data.ts'
import { useStrings } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { LazyDialog } from '../ui/lazy-dialog.ts'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function BeginAnew({ label }: { readonly label: string }) {
  const { general } = useStrings()
  const { anew } = useRareStrings()
  const [isAsking, setAsking] = useState(false)
  const { busy, problem, run } = useAction()
  return (
    <>
      <Button look="bare" onClick={() => setAsking(true)}>
        {label}
      </Button>
      {isAsking ? (
        <LazyDialog title={label} onClose={() => setAsking(false)}>
          <p>{anew.anewText}</p>
          {problem === undefined ? null : <Note look="danger">{problem}</Note>}
          <div className="flex flex-wrap justify-end gap-2">
            <Button onClick={() => setAsking(false)}>{general.cancel}</Button>
            <Button look="danger" disabled={busy} onClick={() => void run(beginAnew)}>
              {anew.anewNow}
            </Button>
          </div>
        </LazyDialog>
      ) : null}
    </>
  )
}
