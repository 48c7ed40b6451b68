/** Telling one contact of another, who may then be asked for contact. */
import { useState } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { SelectField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function ShareField({ contact }: { readonly contact: string }) {
  const { chats } = useStrings()
  const { aboutPeople } = useRareStrings()
  const { api, conversations = [] } = useClient()
  const [whom, setWhom] = useState('')
  const [isDone, setDone] = useState(false)
  const { busy, problem, run } = useAction()
  const others = conversations.filter((each) => each.contact !== contact && each.state === 'accepted' && !each.blocked)
  if (others.length === 0) return null
  const share = async (): Promise<void> => setDone(await run(async () => api?.share({ contact: whom, shared: contact })))
  return (
    <fieldset className="grid gap-2">
      <legend className="font-medium">{aboutPeople.share}</legend>
      <SelectField label={aboutPeople.shareWith} value={whom} onChange={(event) => setWhom(event.target.value)}>
        <option value="" />
        {others.map(({ contact: other, name }) => (
          <option key={other} value={other}>
            {name}
          </option>
        ))}
      </SelectField>
      {isDone ? <Note look="good">{aboutPeople.shared}</Note> : null}
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <Button disabled={busy || whom === ''} onClick={() => void share()}>
        {chats.send}
      </Button>
    </fieldset>
  )
}
