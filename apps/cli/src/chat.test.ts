import type { ApiClient, ClientEvent, HistoryMessage } from '@skein/node/api'
import { expect, it } from 'vitest'
import { follow } from './chat.ts'

const BO = 'bo-account'
const text = (id: string, change: Partial<HistoryMessage>): HistoryMessage =>
  ({
    id,
    direction: 'in',
    kind: 'text',
    text: id,
    seen: false,
    edited_at: null,
    deleted_at: null,
    own_reaction: null,
    contact_reaction: null,
    ...change,
  }) as HistoryMessage

/** What is said, and up to which message it was seen, while these events come. */
async function told(isShown: boolean, events: readonly ClientEvent[]): Promise<{ said: readonly string[]; seen: readonly string[] }> {
  const [said, seen]: [string[], string[]] = [[], []]
  const history = [text('old', { seen: true }), text('unread', {}), text('mine', { direction: 'out', seen: true })]
  const api = {
    contacts: async () => ({ contacts: [] }),
    conversations: async () => ({ conversations: [{ contact: BO, name: 'bo', unread: 1, muted: false }] }),
    history: async () => ({ messages: history }),
    seen: async ({ id }: { id: string }) => seen.push(id),
    events: async () => events,
  } as unknown as ApiClient
  const room = { contact: undefined }
  await follow(api, { say: (line) => void said.push(line), room, isShown, signal: new AbortController().signal })
  return { said, seen }
}

const arrives = (id: string, muted = false): ClientEvent => ({ event: 'message', contact: BO, name: 'bo', muted, message: text(id, {}) })
const state = (now: HistoryMessage['state']): ClientEvent =>
  ({ event: 'state', contact: BO, id: 'mine', state: now, reason: null, delivered_at: null }) as ClientEvent

it('what a terminal shows was seen, what was unread before as well; what a program reads was not', async () => {
  const events = [arrives('new'), arrives('unwanted', true)]
  expect(await told(true, events)).toEqual({ said: ['bo: unread', 'bo: new'], seen: ['mine', 'new'] })
  expect(await told(false, events)).toEqual({ said: ['bo: new'], seen: [] })
})

it('says what becomes of which message', async () => {
  const { said } = await told(false, (['queued', 'carried', 'delivered', 'read', 'failed'] as const).map(state))
  expect(said.map((line) => line.trim())).toEqual([
    '↑ left with who carries it: «mine»',
    '✓ delivered: «mine»',
    '✓✓ read: «mine»',
    '✗ not delivered: «mine»  Again: skein outbox --retry mine',
  ])
})

it('what comes while unread messages are asked for is said, once; so is all that is unread, however much', async () => {
  const backlog = Array.from({ length: 1_500 }, (_, at) => text(`unread ${at}`, {}))
  const [said, seen]: [string[], string[]] = [[], []]
  const pending: ClientEvent[] = []
  let isListening = false
  const comes = (id: string): unknown => isListening && pending.push(arrives(id))
  const api = {
    contacts: async () => (comes('between'), { contacts: [] }),
    conversations: async () => ({ conversations: [{ contact: BO, name: 'bo', unread: 1_500, muted: false }] }),
    history: async ({ before }: { before?: string }) => {
      comes('unread 1499')
      const end = before === undefined ? backlog.length : backlog.findIndex(({ id }) => id === before)
      return { messages: backlog.slice(Math.max(0, end - 1_000), end) }
    },
    seen: async ({ id }: { id: string }) => seen.push(id),
    events: async () => {
      isListening = true
      return (async function* () {
        yield* pending
      })()
    },
  } as unknown as ApiClient
  const room = { contact: undefined }
  await follow(api, { say: (line) => void said.push(line), room, isShown: true, signal: new AbortController().signal })
  expect(said).toEqual([...backlog.map(({ id }) => `bo: ${id}`), 'bo: between'])
  expect(seen).toEqual(['unread 1499', 'between'])
})
