import type { ConversationView } from '@skein/node/browser'
import { useState } from 'react'
import { useClient, useModel, useStrings } from '../client/context.tsx'
import { linkTo } from '../client/route.ts'
import { SeveralDialog } from '../mail/lazy.ts'
import { Button, buttonClass } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Toggle } from '../ui/toggle.tsx'
import { useAction } from '../ui/use-action.ts'
import { DeleteConversation } from './delete-conversation.tsx'
import { PathDetails } from './path-details.tsx'
import { ProofsField } from './proofs-field.tsx'
import { ShareField } from './share-field.tsx'
import { TimerField } from './timer-field.tsx'
import { VerifyDialog } from './verify-dialog.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export interface ContactDetailsProps {
  readonly person: ConversationView
  onClose(): void
}

export function ContactDetails({ person, onClose }: ContactDetailsProps) {
  const { people, general } = useStrings()
  const { aboutPeople, delivery } = useRareStrings()
  const { api } = useClient()
  const model = useModel()
  const [name, setName] = useState(person.name)
  const [isVerifying, setVerifying] = useState(false)
  const [isWriting, setWriting] = useState(false)
  const { busy, problem, run } = useAction()
  const { contact } = person
  const change = (what: { name?: string; blocked?: boolean; muted?: boolean }): void =>
    void run(async () => {
      await api?.change({ contact, ...what })
      await model.refresh()
    })
  if (isVerifying) return <VerifyDialog person={person} onClose={() => setVerifying(false)} />
  if (isWriting) return <SeveralDialog title={delivery.writeUntil} to={contact} onClose={() => setWriting(false)} />
  return (
    <Dialog title={person.name === '' ? general.noName : person.name} onClose={onClose}>
      {person.claimed_name === '' || person.claimed_name === person.name ? null : (
        <p className="foreign text-quiet">{aboutPeople.claims(person.claimed_name)}</p>
      )}
      {person.trust === 'changed' ? <Note look="danger">{aboutPeople.changed}</Note> : null}
      <form
        className="flex items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          change({ name: name.trim() })
        }}
      >
        <div className="min-w-0 flex-1">
          <TextField label={aboutPeople.rename} value={name} maxLength={64} required onChange={(event) => setName(event.target.value)} />
        </div>
        <Button type="submit" disabled={busy || name.trim() === '' || name.trim() === person.name}>
          {general.save}
        </Button>
      </form>
      <Toggle label={aboutPeople.mute} checked={person.muted} onChange={(muted) => change({ muted })} />
      <Toggle label={aboutPeople.block} checked={person.blocked} onChange={(blocked) => change({ blocked })} />
      {person.state === 'accepted' && !person.blocked ? <TimerField contact={contact} /> : null}
      {person.state === 'accepted' ? <ShareField contact={contact} /> : null}
      {person.state === 'accepted' && !person.blocked ? <PathDetails contact={contact} /> : null}
      {person.state === 'accepted' ? <ProofsField contact={contact} /> : null}
      <DeleteConversation contact={contact} name={person.name} />
      <p className="foreign text-sm text-quiet">
        {aboutPeople.account}: <code>{contact}</code>
      </p>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <div className="flex flex-wrap justify-end gap-2">
        {person.state === 'accepted' && !person.blocked ? <Button onClick={() => setWriting(true)}>{delivery.writeUntil}</Button> : null}
        <Button onClick={() => setVerifying(true)}>{people.verify}</Button>
        <a className={buttonClass('main')} href={linkTo('chats', contact)}>
          {aboutPeople.message}
        </a>
      </div>
    </Dialog>
  )
}
