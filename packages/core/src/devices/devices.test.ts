import { describe, expect, it } from 'vitest'
import { messageIdFromBytes } from '../ids.ts'
import { sendOwnWord } from '../main-path/index.ts'
import type { StoredMessage, StoreWrite, WriteOutcome } from '../ports/store.ts'
import { household, texts } from '../testing/household.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { World, type WorldNode } from '../testing/world.ts'
import { encodeContent } from '../wire/content.ts'

/** Answers no more after two pages of history. */
class BreakingStore extends MemoryStore {
  private pages = 0

  override commit(writes: readonly StoreWrite[]): Promise<readonly WriteOutcome[]> {
    if (writes.some((write) => write.kind === 'setting.put' && write.key.startsWith('own-history'))) this.pages += 1
    return this.pages > 2 ? new Promise(() => undefined) : super.commit(writes)
  }

  override reopened(): MemoryStore {
    const store = this.pages > 0 ? new MemoryStore() : new BreakingStore()
    store.takeFrom(this)
    return store
  }
}

/** A message of the past that nobody has yet. */
const late = (byte: number, { hlcMs }: StoredMessage) => ({ id: messageIdFromBytes(new Uint8Array(16).fill(byte)), hlcMs: hlcMs - 500 })

const NOWHERE = { messages: 0, annotations: 0 }

describe('several devices', () => {
  it('[DV9] a linked device has the account, contacts and history, and gets what is sent from now on', async () => {
    const { world, ana, bo, phone } = await household(1)
    expect(phone.messenger.identity.account).toBe(bo.messenger.identity.account)
    expect(phone.messenger.identity.listVersion).toBe(2)
    expect(phone.messenger.devices.all().map(({ name, here }) => [name, here])).toEqual(
      expect.arrayContaining([
        ['bo', false],
        ['bo phone', true],
      ]),
    )
    expect(phone.messenger.book.all().map(({ petname, state }) => [petname, state])).toEqual([['ana', 'accepted']])
    expect(await texts(world, phone, ana)).toEqual(['before 1', 'before 2'])
    expect(ana.messenger.book.devicesOf(bo.messenger.identity.account)).toHaveLength(2)
    await world.send(ana, bo, 'to both')
    await world.run(3_000)
    expect([(await texts(world, bo, ana)).at(-1), (await texts(world, phone, ana)).at(-1)]).toEqual(['to both', 'to both'])
  })

  it('[DV10] what one device sends stands at the others, with its state', async () => {
    const { world, ana, bo, phone } = await household(2)
    const sent = await world.send(phone, ana, 'from the phone')
    await world.run(5_000)
    expect((await texts(world, ana, phone)).at(-1)).toBe('from the phone')
    expect(await bo.messenger.message(sent.id)).toMatchObject({ text: 'from the phone', direction: 'out', state: 'delivered' })
    await phone.messenger.conversation.annotate({ kind: 'edit', target: sent.id, text: 'edited' })
    await world.run(3_000)
    expect(await bo.messenger.message(sent.id)).toMatchObject({ text: 'edited' })
    // Another device of the author takes it back: the account counts, not the device.
    await bo.messenger.conversation.annotate({ kind: 'deletion', target: sent.id })
    await world.run(3_000)
    expect([(await ana.messenger.message(sent.id))?.deletedAt, (await phone.messenger.message(sent.id))?.deletedAt]).not.toContain(null)
  })

  it('[DV8] a revoked device gets nothing new, is told so, and sends nothing', async () => {
    const { world, ana, bo, phone } = await household(3)
    await bo.messenger.devices.revoke('bo phone')
    await world.run(10_000)
    expect(phone.messenger.identity.isRevoked).toBe(true)
    expect(phone.events).toContainEqual({ kind: 'devices', revoked: true })
    await expect(phone.messenger.send(world.contactOf(phone, ana), 'still here?')).rejects.toMatchObject({ code: 'DEVICE_REVOKED' })
    await world.send(ana, bo, 'after')
    await world.run(5_000)
    expect((await texts(world, bo, ana)).at(-1)).toBe('after')
    expect(await texts(world, phone, ana)).not.toContain('after')
    expect(ana.messenger.book.devicesOf(bo.messenger.identity.account)).toHaveLength(1)
    expect(await ana.store.session(phone.messenger.identity.device)).toBeNull()
  })

  it('[DV8] a device that was away learns it from the others when it is back', async () => {
    const { world, ana, bo, phone } = await household(4)
    world.kill(phone)
    await bo.messenger.devices.revoke(phone.messenger.identity.device)
    await world.run(10_000)
    await world.send(ana, bo, 'after')
    await world.run(3_000)
    const back = await world.restart(phone)
    await world.run(30_000)
    expect(back.messenger.identity.isRevoked).toBe(true)
    expect(await texts(world, back, ana)).not.toContain('after')
    // What it says to a contact counts for nothing: its list is older.
    expect(ana.messenger.book.devicesOf(bo.messenger.identity.account).map(({ device }) => device)).toEqual([bo.messenger.identity.device])
    world.kill(back)
    const once = await world.restart(back)
    await expect(once.messenger.send(world.contactOf(once, ana), 'x')).rejects.toMatchObject({ code: 'DEVICE_REVOKED' })
  })

  it('[DV8] what waited for the device that was taken out alone goes to those that are there', async () => {
    const { world, ana, bo, phone } = await household(5)
    world.kill(bo)
    world.kill(phone)
    const sent = await world.send(ana, bo, 'while all are away')
    await world.run(5_000)
    const back = await world.restart(bo)
    await back.messenger.devices.revoke('bo phone')
    await world.run(20_000)
    expect((await texts(world, back, ana)).at(-1)).toBe('while all are away')
    expect(await ana.messenger.message(sent.id)).toMatchObject({ state: 'delivered' })
    expect(await ana.messenger.deliveries.outbox()).toEqual([])
  })

  it('[DV11] names, verified marks, blocks and mutes follow, and the later decision counts', async () => {
    const { world, ana, bo, phone } = await household(6)
    const { account } = ana.messenger.identity
    await bo.messenger.change(account, { petname: 'Anna', muted: true })
    await bo.messenger.setVerified(world.contactOf(bo, ana), true)
    await world.run(3_000)
    expect(phone.messenger.book.get(account)).toMatchObject({ petname: 'Anna', muted: true, trust: 'verified' })
    await phone.messenger.change(account, { blocked: true })
    await world.run(3_000)
    expect(bo.messenger.book.get(account)).toMatchObject({ petname: 'Anna', blocked: true })
    // Apart from each other, each decides something; the later one is on both in the end.
    world.network.partition(bo.messenger.identity.device, phone.messenger.identity.device, true)
    await bo.messenger.change(account, { petname: 'older' })
    await world.run(1_000)
    await phone.messenger.change(account, { petname: 'newer' })
    await world.run(60_000)
    world.network.mend()
    await world.run(200_000)
    expect([bo, phone].map((node) => node.messenger.book.get(account)?.petname)).toEqual(['newer', 'newer'])
  })

  it('[DV11] a contact that one device has made is one for the others', async () => {
    const { world, bo, phone } = await household(7)
    const cy = await world.start('cy')
    await world.befriend(cy, phone)
    await world.run(5_000)
    expect(bo.messenger.book.get(cy.messenger.identity.account)).toMatchObject({ petname: 'cy', state: 'accepted' })
    await world.send(bo, cy, 'hello from the other device')
    await world.run(5_000)
    expect(await texts(world, cy, bo)).toEqual(['hello from the other device'])
  })

  it('[DV13] what was seen on one device is seen on the others, and no second receipt is sent', async () => {
    const { world, ana, bo, phone } = await household(8)
    const { account } = ana.messenger.identity
    await world.send(ana, bo, 'look')
    await world.run(3_000)
    const [last] = await phone.messenger.history(account, { limit: 1 })
    if (last === undefined) throw new Error('nothing came')
    await phone.messenger.seen(account, last.id)
    await world.run(3_000)
    const unread = (node: WorldNode) => node.messenger.conversations().then(([first]) => first?.unread)
    expect([await unread(bo), await unread(phone)]).toEqual([0, 0])
    expect(await bo.store.receiptDevices()).toEqual([])
  })

  it('[DV13] what a device has given up, or carriers hold, is shown so on the others', async () => {
    const { world, ana, bo, phone } = await household(28)
    const { account } = ana.messenger.identity
    world.kill(ana)
    const { id } = await bo.messenger.send(world.contactOf(bo, ana), 'given up', { expireMs: 60_000 })
    const kept = await world.send(bo, ana, 'carried')
    await world.run(5_000)
    const [row] = (await bo.store.outboxOf(kept.id)).filter(({ contact }) => contact === account)
    if (row === undefined) throw new Error('nothing waits')
    await bo.messenger['dispatcher']['onCarried'](row, 'http://a.test')
    await world.run(100_000)
    const shown = await Promise.all([id, kept.id].map((each) => phone.messenger.message(each)))
    expect(shown.map((message) => [message?.state, message?.reason])).toEqual([
      ['failed', 'expired'],
      ['carried', null],
    ])
  })

  it('[DV13] what one device has got late is unread on both, until it is seen on either', async () => {
    const { world, ana, bo, phone } = await household(18)
    const { account } = ana.messenger.identity
    const unread = async () => {
      const all = await Promise.all([bo, phone].map((node) => node.messenger.conversations()))
      return all.map(([first]) => first?.unread)
    }
    const [old] = await bo.messenger.history(account, { limit: 1 })
    if (old === undefined) throw new Error('nothing is there')
    const made = (byte: number) =>
      ({ ...old, direction: 'in', sender: ana.messenger.identity.device, seen: false, ...late(byte, old) }) as const
    await phone.store.commit([{ kind: 'message.insert', message: made(1) }])
    await world.send(ana, bo, 'look')
    await world.run(3_000)
    const [last] = await bo.messenger.history(account, { limit: 1 })
    if (last === undefined) throw new Error('nothing came')
    await bo.messenger.seen(account, last.id)
    await world.run(3_000)
    expect((await phone.store.unseen(account, 9)).map(({ id }) => id)).toContain(made(1).id)
    expect((await phone.store.unseen(account, 9)).map(({ id }) => id)).not.toContain(last.id)
    // Both ask for what they lack; the late one comes to the other device too.
    await world.run(700_000)
    expect(await unread()).toEqual([1, 1])
    await bo.messenger.seen(account, last.id)
    await world.run(3_000)
    expect(await unread()).toEqual([0, 0])
    // What was seen on one device before it came to the other is seen there when it comes.
    await bo.store.commit([{ kind: 'message.insert', message: made(2) }])
    await bo.messenger.seen(account, last.id)
    await world.run(3_000)
    await phone.store.commit([{ kind: 'message.insert', message: made(2) }])
    phone.messenger.devices.arrived(made(2))
    await world.run(1_000)
    expect(await unread()).toEqual([0, 0])
  })

  it('[DV13] a word that was lost is made up for, but for what the other device has not got', async () => {
    const { world, ana, bo, phone } = await household(19)
    const { account } = ana.messenger.identity
    await world.send(ana, bo, 'look')
    await world.run(3_000)
    const [last] = await bo.messenger.history(account, { limit: 1 })
    if (last === undefined) throw new Error('nothing came')
    const unseen = (await bo.store.unseen(account, 9)).map(({ id }) => id)
    await bo.store.commit([
      { kind: 'messages.seen', contact: account, ids: unseen, at: 1 },
      { kind: 'setting.put', key: `seen.${account}`, value: last.id },
    ])
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
    await world.run(1_300_000)
    expect(await phone.store.unseen(account, 9)).toEqual([])
  })

  it('[DV12] history comes page by page, and goes on where it broke off', async () => {
    const world = new World(9)
    const [ana, bo] = [await world.start('ana'), await world.start('bo')]
    await world.befriend(ana, bo)
    const text = 'x'.repeat(1_000)
    for (let number = 0; number < 60; number += 1) await world.send(ana, bo, `${number} ${text}`)
    await world.run(5_000)
    const store = new BreakingStore()
    const phone = await world.link(bo, await world.start('bo phone', { store }))
    await world.run(10_000)
    const count = (await phone.messenger.history(ana.messenger.identity.account, { limit: 1_000 })).length
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThan(60)
    const { device } = phone.messenger.identity
    world.kill(phone)
    await world.run(1_000)
    const back = await world.restart(phone)
    await world.run(90_000)
    expect((await texts(world, back, ana)).map((each) => Number.parseInt(each, 10))).toEqual(Array.from({ length: 60 }, (_, at) => at))
    expect(back.messenger.identity.device).toBe(device)
  })

  it('[DV14] what is deleted on one device is deleted on the others, and history of one that was away does not bring it back', async () => {
    const { world, ana, bo, phone } = await household(11)
    const { account } = ana.messenger.identity
    const first = await world.send(ana, bo, 'to be deleted')
    await world.run(3_000)
    await phone.messenger.conversation.clear(account)
    await world.run(3_000)
    expect([await texts(world, bo, ana), await texts(world, phone, ana)]).toEqual([[], []])
    expect(bo.events).toContainEqual({ kind: 'cleared', account })
    expect(await ana.messenger.message(first.id)).toMatchObject({ text: 'to be deleted' })
    // Apart from each other one deletes what the other has not seen go.
    await world.send(ana, bo, 'both have it')
    await world.run(3_000)
    world.kill(phone)
    await bo.messenger.conversation.clear(account)
    await world.send(ana, bo, 'afterwards')
    await world.run(3_000)
    const back = await world.restart(phone)
    // It asks from the start, as after a database that was put back.
    await bo.store.commit([
      { kind: 'setting.put', key: `own-history ${back.messenger.identity.device}`, value: '{"messages":0,"annotations":0}' },
    ])
    await world.run(40_000)
    expect([await texts(world, bo, ana), await texts(world, back, ana)]).toEqual([['afterwards'], ['afterwards']])
    // A new device learns of it too.
    const tablet = await world.link(bo, await world.start('bo tablet'))
    await world.run(10_000)
    expect(await texts(world, tablet, ana)).toEqual(['afterwards'])
    const page = { after: NOWHERE, next: NOWHERE, more: false, annotations: [], contacts: [], seen: [], name: 'bo phone' }
    const stored = { ...first, contact: account, direction: 'in', id: messageIdFromBytes(new Uint8Array(16).fill(9)), hlcMs: 5 } as const
    const [own] = back.messenger.book.ownDevices().filter(({ device }) => device === bo.messenger.identity.device)
    const path = back.messenger['mainPath']
    if (own === undefined || path === undefined) throw new Error('no device')
    await sendOwnWord(path, own, { kind: 'page', page: { ...page, messages: [stored] } })
    await world.run(3_000)
    expect(await bo.messenger.message(stored.id)).toMatchObject({ kind: 'gone', text: '' })
    expect(await texts(world, bo, ana)).toEqual(['afterwards'])
  })

  it('[DV10] words between own devices are taken from nobody else', async () => {
    const { world, ana, bo } = await household(10)
    const [device] = ana.messenger.book.devicesOf(bo.messenger.identity.account)
    const path = ana.messenger['mainPath']
    if (device === undefined || path === undefined) throw new Error('no device')
    const stamp = { hlcMs: 1, hlcCounter: 0, createdAt: 1 }
    const content = encodeContent({ ...stamp, id: messageIdFromBytes(new Uint8Array(16).fill(1)), body: { kind: 'text', text: 'forged' } })
    await sendOwnWord(path, device, { kind: 'copy', account: ana.messenger.identity.account, content })
    await world.run(3_000)
    expect(bo.swarm.offences).toContainEqual({ device: ana.messenger.identity.device, code: 'UNKNOWN_SENDER' })
    expect(await texts(world, bo, ana)).not.toContain('forged')
  })
})
