import { describe, expect, it } from 'vitest'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { World } from '../testing/world.ts'
import { type CheckedReceipt, checkReceipt, checkStored } from './check-proof.ts'
import type { ProvenReceipt } from './proofs.ts'

const MAILBOX = 'http://mail.test'
const invalid = expect.objectContaining({ code: 'PROOF_INVALID' })
const off = expect.objectContaining({ code: 'PROOFS_OFF' })

async function pair(seed: number) {
  const world = new World(seed)
  world.relay(MAILBOX)
  const options = { mailboxes: [MAILBOX], readReceipts: true }
  const [ana, bo] = [await world.start('ana', options), await world.start('bo', options)]
  await world.befriend(ana, bo)
  await world.run(3_000)
  const [toBo, toAna] = [bo.messenger.identity.account, ana.messenger.identity.account]
  const allow = async (a: boolean, b: boolean): Promise<void> => {
    await ana.messenger.proofs.allow(a, toBo)
    await bo.messenger.proofs.allow(b, toAna)
    await world.run(2_000)
  }
  return { world, ana, bo, allow }
}

const checked = (receipt: ProvenReceipt): CheckedReceipt => checkReceipt(primitives, receipt, receipt)

describe('delivery proofs', () => {
  it('[DP1] [DP2] where both sides allow it, each device of the recipient signs that a message has come, and was read', async () => {
    const { world, ana, bo, allow } = await pair(31)
    await allow(true, true)
    const sent = await world.send(ana, bo, 'signed')
    await world.run(5_000)
    const proof = await ana.messenger.proofs.of(sent.id)
    const [receipt] = proof.receipts
    if (receipt === undefined) throw new Error('no proof')
    expect(checkReceipt(primitives, receipt, { ...receipt, message: sent })).toMatchObject({
      messageId: sent.id,
      sender: ana.messenger.identity.account,
      recipient: bo.messenger.identity.account,
      device: bo.messenger.identity.device,
      read: false,
    })
    await bo.messenger.seen(ana.messenger.identity.account, sent.id)
    await world.run(5_000)
    const after = await ana.messenger.proofs.of(sent.id)
    expect(after.receipts.map((each) => checked(each).read).sort()).toEqual([false, true])
  })

  it('[DP2] off at first, and unless both allow it; who allows it no longer signs nothing more', async () => {
    const { world, ana, bo, allow } = await pair(32)
    const nobody = async (): Promise<void> => {
      const sent = await world.send(ana, bo, 'unsigned')
      await world.run(5_000)
      await expect(ana.messenger.proofs.of(sent.id)).rejects.toEqual(off)
    }
    await nobody()
    await allow(true, false)
    await nobody()
    await allow(false, true)
    await nobody()
    await allow(true, true)
    expect(ana.messenger.proofs.state(bo.messenger.identity.account)).toEqual({ ours: true, theirs: true })
    await allow(true, false)
    await nobody()
    await expect(ana.messenger.proofs.of('00'.repeat(16) as never)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
  })

  it('[DP6] a proof is about the message as it was acknowledged, and the devices of then', async () => {
    const { world, ana, bo, allow } = await pair(35)
    const phone = await world.link(bo, await world.start('bo phone', { mailboxes: [MAILBOX], readReceipts: true }))
    await world.run(30_000)
    await allow(true, true)
    await phone.messenger.proofs.allow(true, ana.messenger.identity.account)
    await world.run(10_000)
    const sent = await world.send(ana, bo, 'as it was')
    await world.run(10_000)
    await ana.messenger.conversation.annotate({ kind: 'edit', target: sent.id, text: 'as it is' })
    await world.run(5_000)
    await bo.messenger.seen(ana.messenger.identity.account, sent.id)
    await world.run(5_000)
    await bo.messenger.devices.revoke(phone.messenger.identity.device)
    await world.run(20_000)
    expect(ana.messenger.book.devicesOf(bo.messenger.identity.account)).toHaveLength(1)
    const { receipts } = await ana.messenger.proofs.of(sent.id)
    const said = receipts.map((each) => [checked(each).device, checked(each).read, each.message.text])
    expect(said).toContainEqual([phone.messenger.identity.device, false, 'as it was'])
    expect(said).toContainEqual([bo.messenger.identity.device, false, 'as it was'])
    expect(said).toContainEqual([bo.messenger.identity.device, true, 'as it is'])
    // What is taken back is in no proof any more.
    await ana.messenger.conversation.annotate({ kind: 'deletion', target: sent.id })
    await expect(ana.messenger.proofs.of(sent.id)).rejects.toEqual(off)
  })

  it('[DP5] what a relay has signed is kept as well, and what each side allows survives a restart', async () => {
    const { world, ana, bo, allow } = await pair(33)
    await allow(true, true)
    world.kill(bo)
    const sent = await world.send(ana, bo, 'by mail')
    await world.run(10_000)
    world.kill(ana)
    const again = await world.start('ana', { store: ana.store.reopened(), mailboxes: [MAILBOX] })
    await world.start('bo', { store: bo.store.reopened(), mailboxes: [MAILBOX], readReceipts: true })
    await world.run(20_000)
    const [stored] = (await again.messenger.proofs.of(sent.id)).stored
    if (stored === undefined) throw new Error('the relay signed nothing')
    expect(stored.by).toBe(MAILBOX)
    expect(checkStored(primitives, stored, stored.key)).toBeGreaterThanOrEqual(sent.createdAt)
    expect(() => checkStored(primitives, { ...stored, signature: new Uint8Array(64) }, stored.key)).toThrow(invalid)
    expect(again.messenger.proofs.state(bo.messenger.identity.account)).toEqual({ ours: true, theirs: true })
  })

  it('[DP3] [DP4] a changed statement, another message, foreign devices and forged signatures are refused', async () => {
    const { world, ana, bo, allow } = await pair(34)
    await allow(true, true)
    const sent = await world.send(ana, bo, 'signed')
    await world.run(5_000)
    const proof = await ana.messenger.proofs.of(sent.id)
    const [receipt] = proof.receipts
    if (receipt === undefined) throw new Error('no proof')
    const { deviceList } = receipt
    const check = (change: object, message: object = {}, list = deviceList) =>
      checkReceipt(primitives, { ...receipt, ...change }, { deviceList: list, message: { ...sent, ...message } })
    expect(() => check({ signature: new Uint8Array(64) })).toThrow(invalid)
    for (let at = 0; at < receipt.statement.length; at += 7)
      expect(() => check({ statement: receipt.statement.map((byte, index) => (index === at ? byte ^ 1 : byte)) })).toThrow(invalid)
    expect(() => check({ statement: Uint8Array.of(1, 2, 3) })).toThrow(invalid)
    for (const change of [{ text: 'another' }, { createdAt: sent.createdAt + 1 }, { kind: 'timer' }])
      expect(() => check({}, change)).toThrow(invalid)
    expect(() => check({}, {}, ana.messenger.identity.signedList)).toThrow(invalid)
    expect(() => check({}, {}, { ...deviceList, signature: new Uint8Array(64) })).toThrow(invalid)
    // A contact that sends signatures of something else: nothing of it is kept.
    const two = await world.send(ana, bo, 'two')
    const { device } = bo.messenger.identity
    const forged = { kind: 'receipt', delivered: [two.id], read: [], at: 5, proofs: new Uint8Array(64).fill(7) } as const
    await ana.messenger.proofs.take(bo.messenger.identity.account, device, forged)
    expect((await ana.store.proofs(two.id)).length).toBe(0)
    expect(ana.logger.lines.some(({ event }) => event === 'proof-refused')).toBe(true)
  })
})
