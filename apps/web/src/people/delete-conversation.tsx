/** Deleting a conversation, once the user has read what that does. */
import { useState } from 'react'
import { useClient, useModel, useStrings } from '../client/context.tsx'
import { keepDraft } from '../client/drafts.ts'
import { Button } from '../ui/button.tsx'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function DeleteConversation({ contact, name }: { readonly contact: string; readonly name: string }) {
  const { general } = useStrings()
  const { deletion } = useRareStrings()
  const { api } = useClient()
  const model = useModel()
  const [isAsking, setAsking] = useState(false)
  const { busy, problem, run } = useAction()
  const remove = async (): Promise<void> => {
    const isDone = await run(async () => {
      await api?.deleteConversation({ contact })
      keepDraft(contact, '')
      await model.refresh()
    })
    if (isDone) setAsking(false)
  }
  if (!isAsking)
    return (
      <Button look="danger" onClick={() => setAsking(true)}>
        {deletion.open}
      </Button>
    )
  return (
    <fieldset className="grid grid-cols-1 gap-2 rounded-lg border border-danger p-3">
      <legend className="px-1 font-medium">{deletion.open}</legend>
      <p className="foreign">{deletion.text(name)}</p>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={() => setAsking(false)}>{general.cancel}</Button>
        <Button look="danger" disabled={busy} onClick={() => void remove()}>
          {deletion.confirm}
        </Button>
      </div>
    </fieldset>
  )
}
