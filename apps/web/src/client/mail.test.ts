import type { ApiClient, ClientEvent, OutboxView } from '@skein/node/browser'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeMail } from '../mail/describe-mail.ts'
import { rareDe } from '../strings/rare-de.ts'
import { rareEn, type RareStrings } from '../strings/rare-en.ts'
import { countMail, mailboxState, mailFor, MailWatch } from './mail.ts'
import type { ClientModel } from './model.ts'

const RELAY = 'https://relay.example'

const row = (id: string, carriers: readonly string[] = [], device = 'first'): OutboxView => ({
  contact: 'bo',
  name: 'Bo',
  device,
  id,
  state: carriers.length === 0 ? 'queued' : 'carried',
  carriers: [...carriers],
  hold: null,
  attempts: 0,
  next_at: 0,
  expires_at: 1,
})

describe('what the status bar says of mail', () => {
  it('[UI20] counts each message once, by what holds it best', () => {
    const outbox = [
      row('a'),
      row('a', [], 'second'),
      row('b', [RELAY]),
      row('b', [], 'second'),
      row('c', ['mesh']),
      row('d', ['mesh', RELAY]),
    ]
    expect(countMail(outbox)).toEqual({ waiting: 1, atRelay: 2, carried: 1 })
  })

  it('[UI25] what lies at a relay or is carried for somebody absent does not wait here', () => {
    const rows = [row('a', [RELAY]), row('b', ['mesh'])]
    expect(mailFor(rows, 'bo')).toBe('mailbox')
    expect(mailFor([...rows, row('c')], 'bo')).toBe('here')
    expect([mailFor(rows.slice(1), 'bo'), mailFor([row('c')], 'cleo')]).toEqual(['mesh', 'none'])
  })

  it('[UI20] a mailbox is said to be missing, or not reached; one that does its work is not worth words', () => {
    const mailbox = (watching: boolean) => ({ url: RELAY, watching, tokens: 3 })
    expect([[], [mailbox(false)], [mailbox(false), mailbox(true)]].map(mailboxState)).toEqual(['none', 'away', 'ready'])
    const said = (mailboxes: ReturnType<typeof mailbox>[] | undefined, strings: RareStrings = rareEn) =>
      describeMail(strings, { outbox: [row('a')], mailboxes })
    expect(said([mailbox(true)])).toBe('1 waits here')
    expect(said(undefined)).toBe('1 waits here')
    expect(said([])).toBe('1 waits here · No mailbox')
    expect(said([mailbox(false)], rareDe)).toBe('1 wartet hier · Briefkasten nicht erreicht')
    expect(describeMail(rareEn, { outbox: [row('a', [RELAY]), row('b', ['mesh'])], mailboxes: [mailbox(true)] })).toBe(
      '1 at a relay · 1 with devices around',
    )
  })
})

describe('mail that is watched', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('document', { visibilityState: 'visible' })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('[UI20] is asked for again when a message is sent or its state changes, and now and then', async () => {
    let outbox: OutboxView[] = []
    const api = { outbox: async () => ({ outbox }), mailbox: async () => ({ mailboxes: [] }) } as unknown as ApiClient
    let hear: (events: readonly ClientEvent[]) => void = () => undefined
    const model = {
      get: () => ({ api }),
      subscribe: () => () => undefined,
      onEvents: (listener: typeof hear) => ((hear = listener), () => undefined),
    }
    const watch = new MailWatch(model as unknown as ClientModel)
    const stop = watch.follow()
    await vi.advanceTimersByTimeAsync(0)
    expect(watch.get()).toEqual({ outbox: [], mailboxes: [] })
    outbox = [row('a')]
    hear([{ event: 'state', contact: 'bo', id: 'a', state: 'queued', reason: null, delivered_at: null }])
    await vi.advanceTimersByTimeAsync(300)
    expect(watch.get().outbox).toEqual(outbox)
    outbox = []
    await vi.advanceTimersByTimeAsync(5_000)
    expect(watch.get().outbox).toEqual([])
    stop()
  })
})
