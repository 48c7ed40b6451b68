/** `skein chat`: a conversation in the terminal. */
import { createInterface } from 'node:readline/promises'
import { SkeinError } from '@skein/core'
import type { ApiClient, ClientEvent, ConversationView, HistoryMessage } from '@skein/node/api'
import { EXIT } from './output.ts'
import { shownMessage } from './shown-message.ts'
import { oneLine } from './terminal-text.ts'
import { type Session, TICK, withApi } from './commands.ts'

/** Talks to `contact`, or to whoever is the only or the next contact. Lines typed are sent; ends with Ctrl-D or /quit. */
export const chat = (session: Session, wanted: string | undefined): Promise<number> =>
  withApi(session, async (api) => {
    const closing = new AbortController()
    const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
    terminal.once('close', () => closing.abort())
    terminal.once('SIGINT', () => terminal.close())
    const say = (line: string): void => {
      process.stdout.write(`\r\x1b[K${line}\n`)
      terminal.prompt(true)
    }
    const room = { contact: wanted }
    // What nobody may be looking at was not seen.
    const isShown = process.stdout.isTTY
    void follow(api, { say, room, isShown, signal: closing.signal })
    say('Type a message and press Enter. /to NAME chooses whom to talk to, /people lists contacts, /quit ends.')
    for await (const line of terminal) {
      if (line.trim() === '/quit') break
      await handle(api, line.trim(), { say, room }).catch((error: unknown) =>
        say(`! ${error instanceof Error ? error.message : String(error)}`),
      )
    }
    terminal.close()
    return EXIT.done
  })

interface Room {
  readonly say: (line: string) => void
  readonly room: { contact: string | undefined }
}

async function handle(api: ApiClient, line: string, { say, room }: Room): Promise<void> {
  if (line === '') return
  if (line === '/people') {
    for (const each of (await api.contacts()).contacts) say(`${each.online ? '●' : '○'} ${oneLine(each.name)}`)
    return
  }
  if (line.startsWith('/to ')) {
    room.contact = line.slice(4).trim()
    say(`Talking to ${room.contact}.`)
    return
  }
  const contact = room.contact ?? (await onlyContact(api))
  await api.send({ contacts: [contact], text: line, wait: 'queued', timeout_ms: 0 })
}

async function onlyContact(api: ApiClient): Promise<string> {
  const { contacts } = await api.contacts()
  const [first] = contacts
  if (first === undefined) throw new SkeinError('CONTACT_UNKNOWN', 'Nobody has joined yet; give somebody the invite.')
  if (contacts.length > 1) throw new SkeinError('CONTACT_AMBIGUOUS', 'You have several contacts; choose with /to NAME.')
  return first.contact
}

const CAUTION = {
  unverified: '',
  verified: '',
  changed: ': nothing is sent until you confirm with «skein verify»',
} as const

/** A contact may have several devices: it has come with the first and gone with the last. */
async function sayPresence(
  api: ApiClient,
  { contact }: { readonly contact: string },
  { say, online }: { readonly say: (line: string) => void; readonly online: Set<string> },
): Promise<void> {
  const known = (await api.contacts()).contacts.find((each) => each.contact === contact)
  if (known === undefined || known.muted || known.online === online.has(contact)) return
  if (known.online) online.add(contact)
  else online.delete(contact)
  say(known.online ? `● ${oneLine(known.name)} is here` : `○ ${oneLine(known.name)} has gone`)
}

type StateEvent = Extract<ClientEvent, { event: 'state' }>

const STATES = {
  queued: undefined,
  carried: 'left with who carries it',
  delivered: 'delivered',
  read: 'read',
  failed: 'not delivered',
} as const

/** The text as well: the message may stand far above by now. */
async function sayState(api: ApiClient, { contact, id, state, reason }: StateEvent, say: Room['say']): Promise<void> {
  const word = STATES[state]
  if (word === undefined) return
  const { messages } = await api.history({ contact, limit: 100 })
  const message = messages.find((each) => each.id === id)
  const what = message === undefined ? id : `«${shownMessage(message)}»`
  const again = state === 'failed' ? `  Again: skein outbox --retry ${id}` : ''
  say(`  ${TICK[state]} ${word}${reason === null ? '' : ` (${oneLine(reason)})`}: ${what}${again}`)
}

const PAGE = 1_000

/** All from the first message on that was not seen, in pages: oldest last asked for, first in what is given. */
async function sinceUnread(api: ApiClient, contact: string): Promise<readonly HistoryMessage[]> {
  const found: HistoryMessage[] = []
  for (;;) {
    const [oldest] = found
    const { messages } = await api.history({ contact, limit: PAGE, ...(oldest === undefined ? {} : { before: oldest.id }) })
    found.unshift(...messages)
    if (messages.length < PAGE || messages.every(({ seen }) => seen)) return found
  }
}

/** What came while nobody looked: with the first new message it would count as seen. @returns which were said */
async function sayUnread(api: ApiClient, { say, room }: Room): Promise<ReadonlySet<string>> {
  const { conversations } = await api.conversations()
  const said = new Set<string>()
  const wanted = ({ contact, name }: ConversationView): boolean => [undefined, contact, name].includes(room.contact)
  for (const each of conversations.filter((talk) => talk.unread > 0 && !talk.muted && wanted(talk))) {
    const messages = await sinceUnread(api, each.contact)
    for (const message of messages.filter(({ seen }) => !seen)) {
      say(`${oneLine(each.name)}: ${shownMessage(message)}`)
      said.add(message.id)
    }
    const last = messages.at(-1)
    if (last !== undefined) await api.seen({ contact: each.contact, id: last.id })
  }
  return said
}

type MessageEvent = Extract<ClientEvent, { event: 'message' }>

const isHeard = (event: ClientEvent): event is MessageEvent => event.event === 'message' && event.message.direction === 'in' && !event.muted

async function sayMessage(api: ApiClient, { contact, name, message }: MessageEvent, { say, isShown }: Followed): Promise<void> {
  say(`${oneLine(name)}: ${shownMessage(message)}`)
  if (isShown) await api.seen({ contact, id: message.id })
}

export interface Followed extends Room {
  /** Somebody sees what is said: it counts as seen. */
  readonly isShown: boolean
  readonly signal: AbortSignal
}

/** Shows what arrives, what becomes of what was sent, and who comes and goes. */
export async function follow(api: ApiClient, followed: Followed): Promise<void> {
  const { say, room, isShown, signal } = followed
  try {
    // First: what comes while the rest is asked for is held back, and neither missed nor said twice.
    const events = await api.events(undefined, { signal })
    const said = isShown ? await sayUnread(api, followed) : new Set<string>()
    // An event comes with every change of a contact; only the first acceptance is news.
    const { contacts } = await api.contacts()
    const known = new Set(contacts.flatMap(({ contact, state }) => (state === 'accepted' ? [contact] : [])))
    const online = new Set(contacts.flatMap(({ contact, online: here }) => (here ? [contact] : [])))
    for await (const event of events) {
      if (isHeard(event) && !said.has(event.message.id)) await sayMessage(api, event, followed)
      if (event.event === 'state') await sayState(api, event, say)
      if (event.event === 'presence' && event.contact !== null)
        await sayPresence(api, { ...event, contact: event.contact }, { say, online })
      if (event.event === 'keys') say(`* ${oneLine(event.name)} has other devices or keys than before${CAUTION[event.trust]}`)
      if (event.event === 'contact' && event.state === 'accepted' && !known.has(event.contact)) {
        known.add(event.contact)
        say(`* ${oneLine(event.name)} is a contact now`)
        room.contact ??= event.contact
      }
    }
  } catch (error) {
    if (!signal.aborted) say(`! lost the client: ${error instanceof Error ? error.message : String(error)}`)
  }
}
