import type { ConversationView } from '@skein/node/browser'
import { MessageCircle, ShieldAlert, ShieldCheck } from 'lucide-react'
import { AddButtons } from '../add/add-buttons.tsx'
import { useClient, useStrings } from '../client/context.tsx'
import { linkTo } from '../client/route.ts'
import { buttonClass } from '../ui/button.tsx'
import { Page, Section } from '../ui/page.tsx'
import { Avatar, Name } from '../ui/person.tsx'
import { useTimes } from '../ui/times.ts'
import { ContactDetails } from './contact-details.tsx'
import { Nearby } from './nearby.tsx'
import { RequestButtons } from './request-buttons.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function People({ contact }: { readonly contact: string | undefined }) {
  const { aboutPeople } = useRareStrings()
  const { conversations = [] } = useClient()
  const byName = conversations.toSorted((a, b) => a.name.localeCompare(b.name))
  const requests = byName.filter(({ state, blocked }) => state === 'requested' && !blocked)
  const contacts = byName.filter(({ state, blocked }) => state !== 'requested' || blocked)
  const open = conversations.find((each) => each.contact === contact)
  return (
    <Page title={aboutPeople.title} actions={<AddButtons />}>
      {requests.length === 0 ? null : (
        <Section title={aboutPeople.requests}>
          <ul className="grid grid-cols-1 gap-3">
            {requests.map((each) => (
              <Request key={each.contact} person={each} />
            ))}
          </ul>
        </Section>
      )}
      <Section title={aboutPeople.contacts}>
        {contacts.length === 0 ? <p className="text-quiet">{aboutPeople.noContacts}</p> : null}
        <ul className="grid grid-cols-1 gap-1">
          {contacts.map((each) => (
            <Person key={each.contact} person={each} />
          ))}
        </ul>
      </Section>
      <Nearby />
      {open === undefined ? null : <ContactDetails person={open} onClose={() => (globalThis.location.hash = linkTo('people'))} />}
    </Page>
  )
}

function Person({ person }: { readonly person: ConversationView }) {
  const { people } = useStrings()
  const { aboutPeople } = useRareStrings()
  const { contact, name, online, trust, blocked } = person
  return (
    <li className="flex items-center gap-2">
      <a href={linkTo('people', contact)} className="flex min-w-0 flex-1 items-center gap-3 rounded-lg p-2 hover:bg-page">
        <Avatar name={name} online={online && !blocked} />
        <span className="grid min-w-0 flex-1 grid-cols-1">
          <span className="flex min-w-0 items-center gap-1.5 font-medium">
            <Name name={name} />
            {trust === 'verified' ? <ShieldCheck aria-label={people.verified} size={16} className="shrink-0 text-good" /> : null}
            {trust === 'changed' ? <ShieldAlert aria-label={aboutPeople.changed} size={16} className="shrink-0 text-danger" /> : null}
          </span>
          <PersonState person={person} />
        </span>
      </a>
      <a href={linkTo('chats', contact)} aria-label={`${aboutPeople.message}: ${name}`} className={buttonClass('bare')}>
        <MessageCircle aria-hidden="true" size={20} />
      </a>
    </li>
  )
}

function PersonState({ person: { state, blocked, muted, online, last_seen } }: { readonly person: ConversationView }) {
  const { people } = useStrings()
  const times = useTimes()
  const seen = last_seen === null ? people.never : people.lastSeen(times.whole(last_seen))
  const presence = online ? people.online : seen
  const now = blocked ? people.blocked : state === 'pending' ? people.waiting : presence
  const words = [now, ...(muted ? [people.muted] : [])]
  return <span className="block text-sm text-quiet">{words.join(' · ')}</span>
}

/** Somebody who wants to be a contact. */
function Request({ person }: { readonly person: ConversationView }) {
  return (
    <li className="grid grid-cols-1 gap-2">
      <span className="flex items-center gap-3">
        <Avatar name={person.name} />
        <Name name={person.name} className="flex-1 font-medium" />
      </span>
      <RequestButtons person={person} />
    </li>
  )
}
