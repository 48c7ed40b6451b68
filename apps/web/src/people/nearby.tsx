/** Strangers who show themselves to everyone, and asking one of them for contact. */
import type { PeerView } from '@skein/node/browser'
import { UserPlus } from 'lucide-react'
import { useClient, useModel } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { Avatar, Name } from '../ui/person.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function Nearby() {
  const { aboutPeople } = useRareStrings()
  const { peers } = useClient()
  const strangers = peers.filter(({ contact, online }) => contact === null && online)
  return (
    <Section title={aboutPeople.nearby}>
      {strangers.length === 0 ? <p className="text-quiet">{aboutPeople.noNearby}</p> : null}
      <ul className="grid grid-cols-1 gap-2">
        {strangers.map((each) => (
          <Stranger key={each.device} peer={each} />
        ))}
      </ul>
    </Section>
  )
}

function Stranger({ peer: { device, name, asked } }: { readonly peer: PeerView }) {
  const { aboutPeople } = useRareStrings()
  const { nearby } = useRareStrings()
  const { api } = useClient()
  const model = useModel()
  const { busy, problem, run } = useAction(nearby.problems)
  const shown = name === '' ? aboutPeople.stranger : name
  const ask = (): void =>
    void run(async () => {
      await api?.ask({ device })
      await model.refresh()
    })
  return (
    <li className="grid grid-cols-1 gap-2">
      <span className="flex items-center gap-3">
        <Avatar name={name} online />
        <span className="grid min-w-0 flex-1 grid-cols-1">
          <Name name={shown} />
          {asked ? <span className="text-sm text-quiet">{nearby.asked}</span> : null}
        </span>
        <Button disabled={busy} aria-label={`${asked ? nearby.askAgain : nearby.ask}: ${shown}`} onClick={ask}>
          <UserPlus aria-hidden="true" size={18} />
          {asked ? nearby.askAgain : nearby.ask}
        </Button>
      </span>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
    </li>
  )
}
