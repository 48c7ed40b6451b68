/** `skein chat`: a conversation in the terminal. */
import { createInterface } from 'node:readline/promises'
import { SkeinError } from '@skein/core'
import type { ApiClient } from '@skein/node/api'
import { EXIT } from './output.ts'
import { shownMessage } from './shown-message.ts'
import { oneLine } from './terminal-text.ts'
import { type Session, withApi } from './commands.ts'

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
    void follow(api, { say, room, signal: closing.signal })
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

/** The text as well: what failed may stand far above by now. */
async function sayFailure(
  api: ApiClient,
  { contact, id, reason }: { readonly contact: string; readonly id: string; readonly reason: string | null },
): Promise<string> {
  const { messages } = await api.history({ contact, limit: 100 })
  const failed = messages.find((each) => each.id === id)
  const what = failed === undefined ? id : `«${shownMessage(failed)}»`
  return `  ✗ not delivered${reason === null ? '' : ` (${oneLine(reason)})`}: ${what}  Again: skein outbox --retry ${id}`
}

/** Shows what arrives, what was delivered, and who comes and goes. */
async function follow(api: ApiClient, { say, room, signal }: Room & { readonly signal: AbortSignal }): Promise<void> {
  try {
    // An event comes with every change of a contact; only the first acceptance is news.
    const { contacts } = await api.contacts()
    const known = new Set(contacts.flatMap(({ contact, state }) => (state === 'accepted' ? [contact] : [])))
    const online = new Set(contacts.flatMap(({ contact, online: here }) => (here ? [contact] : [])))
    for await (const event of await api.events(undefined, { signal })) {
      if (event.event === 'message' && event.message.direction === 'in' && !event.muted)
        say(`${oneLine(event.name)}: ${shownMessage(event.message)}`)
      if (event.event === 'state' && event.state === 'delivered') say('  ✓ delivered')
      if (event.event === 'state' && event.state === 'failed') say(await sayFailure(api, event))
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
