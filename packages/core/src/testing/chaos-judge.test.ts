import { describe, expect, it } from 'vitest'
import { accountIdFromDigest, deviceIdFromKey, messageIdFromBytes } from '../ids.ts'
import { UNTOUCHED } from '../main-path/untouched.ts'
import type { OutboxRow, StoredMessage } from '../ports/store.ts'
import { ChaosJudge } from './chaos-judge.ts'

const device = deviceIdFromKey(new Uint8Array(32).fill(1))
const contact = accountIdFromDigest(new Uint8Array(32))
const id = (byte: number) => messageIdFromBytes(new Uint8Array(16).fill(byte))

const message = (number: number, change: Partial<StoredMessage>): StoredMessage => ({
  ...UNTOUCHED,
  ...{ id: id(number), contact, direction: 'out', sender: device, kind: 'text', text: `text ${number}`, seen: true },
  ...{ replyTo: null, shared: null, disappearAfterMs: null },
  ...{ state: 'queued', reason: null, createdAt: number, hlcMs: number, hlcCounter: 0, receivedAt: null, deliveredAt: null },
  ...change,
})
const row = (number: number): OutboxRow => ({
  ...{ message: id(number), contact, device, seq: number, sealed: Uint8Array.of(1), state: 'queued' },
  ...{ carriers: [], expiresAt: 9e15, transient: false, content: null },
})

/** Ana has sent Bo three messages. */
async function judged(ana: readonly StoredMessage[], bo: readonly StoredMessage[], rows: readonly OutboxRow[] = []) {
  const shown = new Map([
    ['ana', ana],
    ['bo', bo],
  ])
  const history = (at: string) => (shown.get(at) ?? []).toSorted((one, other) => one.hlcMs - other.hlcMs)
  const judge = new ChaosJudge({
    pairs: [['ana', 'bo']],
    history: async (at) => history(at),
    storeOf: (at) => ({
      message: async (wanted) => history(at).find((each) => each.id === wanted) ?? null,
      outboxOf: async (wanted) => rows.filter((each) => each.message === wanted),
    }),
    device: () => device,
    household: () => ({ first: 'bo', second: undefined, others: ['ana'] }),
  })
  for (const each of ana) judge.sent.push({ from: 'ana', to: 'bo', id: each.id, number: Number(each.text.split(' ')[1]), short: false })
  await judge.check()
  return { failures: judge.failures, isSettled: await judge.isSettled(), tally: await judge.tally(1) }
}

const came = (number: number, change: Partial<StoredMessage> = {}): StoredMessage =>
  message(number, { direction: 'in', state: 'delivered', ...change })

describe('the judge of chaos', () => {
  it('finds nothing where all is well', async () => {
    const { failures, isSettled, tally } = await judged([message(1, { state: 'delivered' }), message(2, {})], [came(1)], [row(2)])
    expect([failures, isSettled, tally.lost]).toEqual([[], false, 1])
    expect((await judged([message(1, { state: 'read' })], [came(1)])).tally).toMatchObject({
      delivered: 1,
      lost: 0,
      doubled: 0,
      failures: [],
    })
  })

  it('finds at every step what is lost, doubled, or in another order than it was sent', async () => {
    expect((await judged([message(1, { state: 'delivered' })], [])).failures).toEqual([
      'ana: «text 1» is delivered (no reason), and bo has not got it',
    ])
    expect((await judged([message(1, { state: 'carried' })], [])).failures).toEqual([
      'ana: «text 1» is carried (no reason), and waits for nobody',
    ])
    const twice = await judged([message(1, { state: 'delivered' })], [came(1), came(9, { text: 'text 1' })])
    expect([twice.failures, twice.tally.doubled]).toEqual([['bo shows a message of ana twice'], 1])
    const both = [message(1, { state: 'delivered' }), message(2, { state: 'delivered' })]
    expect((await judged(both, [came(1, { hlcMs: 9 }), came(2)])).failures).toEqual(['1 misordered'])
  })

  it('finds what two sides show differently, and excuses what was taken back', async () => {
    const own = message(1, { state: 'delivered', text: 'edited 1', editedAt: 5 })
    expect((await judged([own], [came(1)])).isSettled).toBe(false)
    expect((await judged([own], [came(1, { text: 'edited 1', editedAt: 7 })])).isSettled).toBe(true)
    expect((await judged([message(1, { contactReaction: '👍', state: 'read' })], [came(1)])).isSettled).toBe(false)
    const gone = await judged([{ ...message(1, {}), deletedAt: 5, text: 'text 1' }], [])
    expect([gone.failures, gone.isSettled, gone.tally.lost]).toEqual([[], true, 0])
  })
})
