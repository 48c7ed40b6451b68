import { describe, expect, it } from 'vitest'
import { accountIdFromDigest, type DeviceId, deviceIdFromKey, messageIdFromBytes } from '../ids.ts'
import type { OutboxRow, StoredDevice, StoredMessage } from '../ports/store.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import {
  decodeDeliveryControl,
  type DeliveryControlFields,
  encodeDeliveryControl,
  type UnconfirmedMessage,
} from '../wire/delivery-control.ts'
import { encode } from '../wire/codec.ts'
import { DeliveryControl } from '../wire/gen/mailbox_pb.ts'
import { MAX_GRANTED_TOKENS, MAX_MISSING, MAX_RECEIPTS } from '../wire/limits.ts'
import { TOKEN_BYTES } from '../wire/mailbox.ts'
import { Arrivals } from './arrivals.ts'
import { ControlAllowance, controlEffect, MAX_TOKENS_OF_ONE, NOTHING, RECALL_EVERY_MS } from './control-effect.ts'

const device = (byte: number): DeviceId => deviceIdFromKey(new Uint8Array(32).fill(byte))
const id = (byte: number) => messageIdFromBytes(new Uint8Array(16).fill(byte))
const contact = accountIdFromDigest(new Uint8Array(32))
const [bo, eve] = [device(1), device(2)]
const known = (of: DeviceId) => ({ device: of, account: contact }) as StoredDevice
const row: OutboxRow = {
  ...{ message: id(1), contact, device: bo, seq: 1, sealed: Uint8Array.of(1), state: 'carried' },
  ...{ carriers: ['a'], expiresAt: 9e15, transient: false, content: null },
}
const message = { id: id(1), contact, direction: 'out', sender: device(9), state: 'carried' } as StoredMessage
const bad = expect.objectContaining({ code: 'BAD_FRAME' })

function scene() {
  const clock = new VirtualClock()
  const store = new MemoryStore()
  const recalled: (readonly number[])[] = []
  const answered: number[] = []
  const handed: number[] = []
  const hooks = {
    clock,
    allowance: new ControlAllowance(),
    recall: async (seqs: readonly number[]) => void recalled.push(seqs),
    answer: async (asked: readonly UnconfirmedMessage[]) => void answered.push(asked.length),
    onAcknowledged: async () => undefined,
    isOwn: () => false,
    onHandover: (_: DeviceId, { firstDay }: { readonly firstDay: number }) => ({ writes: [], committed: () => void handed.push(firstDay) }),
    late: () => NOTHING,
    onProofWish: () => NOTHING,
    owed: () => [],
  }
  const say = async (from: DeviceId, control: DeliveryControlFields): Promise<void> => {
    const effect = controlEffect(hooks, known(from), decodeDeliveryControl(encodeDeliveryControl(control)))
    await store.commit(effect.writes)
    effect.committed()
  }
  return { clock, store, recalled, answered, handed, say }
}

describe('what a device says about delivery', () => {
  it('[DV15] delivery tags come from a device itself, and are whole', async () => {
    const { clock, handed, say } = scene()
    const today = Math.floor(clock.now() / 86_400_000)
    const tags = (firstDay: number) => ({ firstDay, deliveryTags: new Uint8Array(32), oneTime: undefined })
    await say(bo, { kind: 'handover', handover: tags(today) })
    expect(handed).toEqual([today])
    const uneven = encode(DeliveryControl, { kind: { $case: 'handover', value: Uint8Array.of(0x12, 1, 7) } })
    for (const bytes of [uneven, encode(DeliveryControl, { kind: { $case: 'handover', value: new Uint8Array() } })])
      expect(() => decodeDeliveryControl(bytes)).toThrow(bad)
  })

  it('[RC4] what a device asks about is answered once in a while', async () => {
    const { clock, answered, say } = scene()
    const ask = { kind: 'unconfirmed', messages: [{ message: id(1), seq: 4 }] } as const
    await say(bo, ask)
    await say(bo, ask)
    await say(eve, ask)
    await clock.advance(RECALL_EVERY_MS)
    await say(bo, ask)
    expect(answered).toEqual([1, 1, 1])
    const one = { message: id(1), seq: 1 }
    const many = { kind: 'unconfirmed', messages: Array.from({ length: MAX_MISSING + 1 }, () => one) } as const
    expect(() => decodeDeliveryControl(encodeDeliveryControl(many))).toThrow(bad)
    const uneven = encode(DeliveryControl, { kind: { $case: 'unconfirmed', value: { messages: new Uint8Array(32), seqs: [1] } } })
    expect(() => decodeDeliveryControl(uneven)).toThrow(bad)
  })

  it('[RC3] a receipt for what was on its way to somebody else changes nothing; ours does', async () => {
    const { store, say } = scene()
    await store.commit([
      { kind: 'message.insert', message },
      { kind: 'outbox.insert', row },
    ])
    const receipt = { kind: 'receipt', delivered: [id(1), id(7)], read: [id(1)], at: 5, proofs: new Uint8Array() } as const
    await say(eve, receipt)
    expect((await store.message(id(1)))?.state).toBe('carried')
    expect([await store.outboxOf(id(1)), await store.progress(id(1)), await store.progress(id(7))]).toEqual([[row], [], []])
    await say(bo, receipt)
    expect((await store.message(id(1)))?.state).toBe('read')
    expect(await store.outboxOf(id(1))).toEqual([])
  })

  it('[RC3] nobody fills the store with tokens, or has carriers handed the same again and again', async () => {
    const { store, say, clock, recalled } = scene()
    const tokens = (round: number) =>
      Array.from({ length: MAX_GRANTED_TOKENS }, (_, at) => new Uint8Array(TOKEN_BYTES).fill(at).fill(round, 0, 9))
    for (let round = 0; round < 20; round += 1) await say(eve, { kind: 'grant', mailbox: 'http://a.test', tokens: tokens(round) })
    const held = await store.tokens('http://a.test', contact, 9_999)
    expect(held).toHaveLength(MAX_TOKENS_OF_ONE)
    // What was held for long makes room for what comes: a program that runs for months takes tokens still.
    expect(tokens(19)).toContainEqual(held[0])
    for (let round = 0; round < 20; round += 1) await say(eve, { kind: 'missing', seqs: [1, 2] })
    expect(recalled).toEqual([[1, 2]])
    await clock.advance(RECALL_EVERY_MS)
    await say(eve, { kind: 'missing', seqs: [3] })
    expect(recalled).toEqual([[1, 2], [3]])
  })

  it('[WF10] what is longer than its limit, or no form of ours, is refused; what a newer version says is let be', async () => {
    const { say, store } = scene()
    const ids = (count: number) => Array.from({ length: count }, () => id(1))
    const receipt = (count: number) => ({ kind: 'receipt', delivered: ids(count), read: [], at: 1, proofs: new Uint8Array() }) as const
    await say(eve, receipt(MAX_RECEIPTS))
    await expect(say(eve, receipt(MAX_RECEIPTS + 1))).rejects.toThrow(bad)
    await expect(say(eve, { ...receipt(1), proofs: new Uint8Array(63) })).rejects.toThrow(bad)
    await expect(say(eve, { kind: 'missing', seqs: Array.from({ length: MAX_MISSING + 1 }, (_, at) => at) })).rejects.toThrow(bad)
    const token = new Uint8Array(TOKEN_BYTES)
    for (const mailbox of ['javascript:alert(1)', '', `http://${'x'.repeat(200)}`])
      await expect(say(eve, { kind: 'grant', mailbox, tokens: [token] })).rejects.toThrow(bad)
    await expect(say(eve, { kind: 'grant', mailbox: 'http://a.test', tokens: [token.slice(1)] })).rejects.toThrow(bad)
    expect(decodeDeliveryControl(Uint8Array.of(0x7a, 1, 0))).toEqual({ kind: 'unknown' })
    await say(eve, { kind: 'unknown' })
    expect(await store.tokens('http://a.test', contact, 9)).toEqual([])
  })

  it('[DL19] a number far ahead, or old ones again, make no endless list of gaps; each is asked for a few times', () => {
    const arrivals = new Arrivals()
    expect([arrivals.note(bo, 5), arrivals.note(bo, 6), arrivals.note(bo, 6), arrivals.note(bo, 2)]).toEqual([false, false, false, false])
    expect(arrivals.note(bo, 9)).toBe(true)
    expect(arrivals.toAsk(bo, 99)).toEqual([7, 8])
    arrivals.note(bo, 8)
    expect([arrivals.toAsk(bo, 99), arrivals.toAsk(bo, 99), arrivals.toAsk(bo, 99)]).toEqual([[7], [7], []])
    arrivals.note(bo, 4_000_000_000)
    expect(arrivals.toAsk(bo, 9_999_999).length).toBeLessThanOrEqual(1_024)
    expect(arrivals.toAsk(eve, 9)).toEqual([])
  })
})
