import type { ApiClient, ClientEvent, ConversationView, HistoryMessage } from '@skein/node/browser'
import { describe, expect, it } from 'vitest'
import { Conversation, withEvents } from './conversation.ts'
import { applyEvent, type ClientModel } from './model.ts'
import { inviteIn, isDeviceLink, linkTo, parseRoute } from './route.ts'

const message = (id: string, direction: 'in' | 'out' = 'in'): HistoryMessage => ({
  id,
  direction,
  kind: 'text',
  text: id,
  reply_to: null,
  shared: null,
  disappear_after_ms: null,
  disappears_at: null,
  edited_at: null,
  deleted_at: null,
  own_reaction: null,
  contact_reaction: null,
  seen: direction === 'out',
  order: { ms: 1, counter: 0 },
  state: 'queued',
  reason: null,
  created_at: 1,
  received_at: null,
})

const person = (contact: string, unread = 0): ConversationView => ({
  contact,
  name: contact,
  claimed_name: '',
  state: 'accepted',
  online: false,
  last_seen: null,
  trust: 'unverified',
  blocked: false,
  muted: false,
  last: message('old', 'out'),
  unread,
})

describe('route', () => {
  it('leads where links lead, and nowhere else', () => {
    expect(parseRoute(linkTo('people', 'abc'))).toEqual({ area: 'people', contact: 'abc', message: undefined })
    expect(parseRoute('#/settings')).toEqual({ area: 'settings', contact: undefined, message: undefined })
    expect(parseRoute('#/chats/<script>')).toEqual({ area: 'chats', contact: undefined, message: undefined })
    expect(parseRoute(linkTo('chats', 'abc', 'f00'))).toEqual({ area: 'chats', contact: 'abc', message: 'f00' })
    expect(parseRoute('#AQAAAAAAAAAAAAAAAAAAAAAA')).toEqual({ area: 'chats', contact: undefined, message: undefined })
  })

  it('finds an invite in the address, or the one that the desktop program hands on', () => {
    const here = (hash: string) => inviteIn({ href: `https://relay.example/${hash}`, hash })
    expect(here('#AQAAAAAAAAAAAAAAAAAAAAAA')).toBe('https://relay.example/#AQAAAAAAAAAAAAAAAAAAAAAA')
    expect(here(`#add=${encodeURIComponent('skein:#AbC')}`)).toBe('skein:#AbC')
    expect(here('#add=%')).toBe('%')
    for (const none of ['', '#', '#/chats/abc', '#<img src=x onerror=alert(1)>']) expect(here(none)).toBeUndefined()
  })

  it('a link for devices is told from an invite by its first byte', () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const bytes = new Uint8Array(57).map((_, at) => (seed * 37 + at * 11) % 256)
      const link = (first: number): string => `https://relay.example/#${Buffer.from([first, ...bytes.slice(1)]).toString('base64url')}`
      expect([link(0x81), link(0x01), link(0x80), link(0x82)].map(isDeviceLink)).toEqual([true, false, false, false])
    }
    expect(isDeviceLink('skein:#gQ')).toBe(false)
  })
})

describe('conversations after an event', () => {
  const all = [person('ana'), person('bo', 2)]

  it('a message goes to the top and counts if it came in', () => {
    const later = { ...message('new'), order: { ms: 2, counter: 0 } }
    const after = applyEvent(all, { event: 'message', contact: 'bo', name: 'bo', muted: false, message: later })
    expect(after?.map(({ contact, unread, last }) => [contact, unread, last?.id])).toEqual([
      ['bo', 3, 'new'],
      ['ana', 0, 'old'],
    ])
  })

  it('a message that the list has already is not counted twice', () => {
    const listed = [{ ...person('a', 1), last: message('new') }]
    expect(applyEvent(listed, { event: 'message', contact: 'a', name: 'a', muted: false, message: message('new') })).toEqual(listed)
  })

  it('a state turns the tick of the last message only', () => {
    const state = { event: 'state', contact: 'ana', state: 'delivered', reason: null, delivered_at: 1 } as const
    expect(applyEvent(all, { ...state, id: 'old' })?.[0]?.last?.state).toBe('delivered')
    expect(applyEvent(all, { ...state, id: 'older' })).toBe(all)
  })

  it('what only the client can tell is asked anew', () => {
    expect(applyEvent(all, { event: 'message', contact: 'new', name: '', muted: false, message: message('a') })).toBeUndefined()
    expect(applyEvent(all, { event: 'contact', contact: 'ana', name: 'ana', state: 'accepted' })).toBeUndefined()
    expect(applyEvent(all, { event: 'seen', contact: 'bo', unread: 0 })?.[1]?.unread).toBe(0)
    expect(applyEvent(all, { event: 'presence', contact: null, device: 'd', online: true })).toBe(all)
  })
})

it('a message is shown once, and has the last state that was heard of', () => {
  const shown = [message('a'), message('b')]
  const came = (id: string) => ({ event: 'message', contact: 'ana', name: 'ana', muted: false, message: message(id) }) as const
  const became = (id: string) => ({ event: 'state', contact: 'ana', id, state: 'delivered', reason: null, delivered_at: 1 }) as const
  const all = { messages: shown, complete: true }
  expect(withEvents(all, [came('b'), became('unknown')])).toBe(shown)
  const after = withEvents(all, [came('c'), came('c'), became('c'), became('a')])
  expect(after.map(({ id, state }) => [id, state])).toEqual([
    ['a', 'delivered'],
    ['b', 'queued'],
    ['c', 'delivered'],
  ])
})

it('[TB6] an edit that is too long is asked of no client, and stands', async () => {
  const asked: unknown[] = []
  const api = { edit: async (input: unknown) => asked.push(input) } as unknown as ApiClient
  const conversation = new Conversation({ get: () => ({ api }) } as unknown as ClientModel, 'ana')
  conversation.intend({ kind: 'edit', message: message('a', 'out') })
  await expect(conversation.send('x'.repeat(49_153))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  expect([asked, conversation.get().intent?.kind]).toEqual([[], 'edit'])
})

const IGNORED: (events: readonly ClientEvent[]) => void = () => undefined

interface Ask {
  readonly before?: string
  readonly limit?: number
}

/** Answers from whatever stands in `pages` when it is asked, as the client does: the newest before a message. */
function historyOf(pages: { readonly all: readonly HistoryMessage[] }) {
  return async ({ before, limit = 100 }: Ask) => {
    const end = before === undefined ? pages.all.length : pages.all.findIndex(({ id }) => id === before)
    return { messages: pages.all.slice(Math.max(0, end - limit), end) }
  }
}

/** What a conversation needs of the model around it: its history, and who tells of news and of answers that were missed. */
function toldBy(history: (ask: Ask) => Promise<{ readonly messages: readonly HistoryMessage[] }>) {
  const heard = { listener: IGNORED, changed: (): void => undefined }
  const model = {
    heard: 1,
    get: () => ({ api: { history } }),
    subscribe: (changed: () => void) => {
      heard.changed = changed
      return () => undefined
    },
    onEvents: (listener: typeof heard.listener) => {
      heard.listener = listener
      return () => undefined
    },
  }
  return { model: model as unknown as ClientModel, heard }
}

describe('[UI23] messages that come late', () => {
  const at = (id: string, ms: number, counter = 0): HistoryMessage => ({ ...message(id), order: { ms, counter } })
  const came = (each: HistoryMessage) => ({ event: 'message', contact: 'ana', name: 'ana', muted: false, message: each }) as const
  const ids = (all: readonly HistoryMessage[]) => all.map(({ id }) => id)

  it('stand at their place in the open conversation', () => {
    const messages = [at('b', 20), at('d', 40)]
    const after = withEvents({ messages, complete: true }, [came(at('c', 20, 1)), came(at('a', 10)), came(at('e', 40, 1))])
    expect(ids(after)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('are left to their page when they belong before what is loaded', () => {
    const messages = [at('b', 20)]
    expect(withEvents({ messages, complete: false }, [came(at('a', 10))])).toBe(messages)
  })

  it('count as unread, and leave the list of conversations in its order', () => {
    const [bo, ana] = [person('bo'), { ...person('ana'), last: at('new', 50) }]
    const after = applyEvent([bo, ana], came(at('late', 10)))
    expect(after?.map(({ contact, unread, last }) => [contact, unread, last?.id])).toEqual([
      ['bo', 0, 'old'],
      ['ana', 1, 'new'],
    ])
  })

  it('from another device of ours are read anew into the open conversation, and what was missed while nobody was heard too', async () => {
    let history = [at('b', 20)]
    const { model, heard } = toldBy(async () => ({ messages: history }))
    const conversation = new Conversation(model, 'ana')
    const close = conversation.open()
    await expect.poll(() => ids(conversation.get().messages)).toEqual(['b'])
    history = [at('a', 10), at('b', 20)]
    heard.listener([{ event: 'history', contacts: ['bo'] }])
    heard.listener([{ event: 'history', contacts: ['ana'] }])
    await expect.poll(() => ids(conversation.get().messages)).toEqual(['a', 'b'])
    history = [...history, at('c', 30)]
    model.heard = 2
    heard.changed()
    await expect.poll(() => ids(conversation.get().messages)).toEqual(['a', 'b', 'c'])
    close()
  })

  it('from another device take nothing away from what is loaded, however much that is', async () => {
    const all = Array.from({ length: 2_500 }, (_, each) => at(String(each).padStart(5, '0'), each + 1))
    const pages = { all }
    const { model, heard } = toldBy(historyOf(pages))
    const conversation = new Conversation(model, 'ana')
    const close = conversation.open()
    await expect.poll(() => conversation.get().loaded).toBe(true)
    while (conversation.get().messages.length < 2_400) await conversation.older(500)
    const first = conversation.get().messages[0]?.id
    pages.all = [...all, at('late', 2_450, 1)].toSorted((a, b) => a.order.ms - b.order.ms || a.order.counter - b.order.counter)
    heard.listener([{ event: 'history', contacts: ['ana'] }])
    await expect.poll(() => ids(conversation.get().messages)).toContain('late')
    expect(ids(conversation.get().messages)).toContain(first)
    close()
  })

  it('and what has changed or gone while nobody was heard is shown so, however far back one has read', async () => {
    const pages = { all: Array.from({ length: 350 }, (_, each) => at(String(each).padStart(5, '0'), each + 1)) }
    const { model, heard } = toldBy(historyOf(pages))
    const conversation = new Conversation(model, 'ana')
    const close = conversation.open()
    await expect.poll(() => conversation.get().loaded).toBe(true)
    await conversation.older()
    const [first, edited, disappeared] = conversation.get().messages
    const came = Array.from({ length: 130 }, (_, each) => at(`came ${each}`, 1_000 + each))
    const rest = pages.all.filter(({ id }) => id !== disappeared?.id)
    pages.all = [...rest.map((each) => (each.id === edited?.id ? { ...each, text: 'in other words' } : each)), ...came]
    model.heard = 2
    heard.changed()
    await expect.poll(() => ids(conversation.get().messages)).toContain('came 129')
    const shown = conversation.get().messages
    expect(ids(shown)).toEqual(expect.arrayContaining([first?.id, 'came 0']))
    expect(shown.find(({ id }) => id === edited?.id)?.text).toBe('in other words')
    expect(ids(shown)).not.toContain(disappeared?.id)
    expect(conversation.get().complete).toBe(false)
    close()
  })

  it('are not lost when an answer that is older than they are comes after them', async () => {
    const answers = [[at('a', 10)], [at('a', 10), at('b', 20)]]
    // The message is told while the first answer is on its way.
    const history = async () => {
      const messages = answers.shift() ?? []
      if (answers.length === 1) heard.listener([came(at('b', 20))])
      return { messages }
    }
    const { model, heard } = toldBy(history)
    const conversation = new Conversation(model, 'ana')
    const close = conversation.open()
    await expect.poll(() => conversation.get().loaded).toBe(true)
    expect(ids(conversation.get().messages)).toEqual(['a', 'b'])
    close()
  })
})
