import { describe, expect, it, vi } from 'vitest'
import { dayOf } from '../e2ee/delivery-tags.ts'
import { sendControl } from '../main-path/index.ts'
import type { StoreWrite } from '../ports/store.ts'
import { household } from '../testing/household.ts'
import { World, type WorldNode } from '../testing/world.ts'
import { decodeHandover } from '../wire/handover.ts'

/** The commits of a node from now on. */
function commitsOf({ store }: WorldNode): () => readonly (readonly StoreWrite[])[] {
  const spy = vi.spyOn(store, 'commit')
  return () => spy.mock.calls.map(([writes]) => writes)
}

/** Writes of one commit that has `first`, of another kind. */
const beside = (commits: readonly (readonly StoreWrite[])[], first: (write: StoreWrite) => boolean, kind: StoreWrite['kind']) =>
  commits.filter((writes) => writes.some(first)).flatMap((writes) => writes.filter((write) => write.kind === kind))

describe('[DL24] what follows from news is durable with them', () => {
  it('[DV13] what becomes of a message is owed to the other own devices', async () => {
    const { world, ana, bo, phone } = await household(41)
    const commits = commitsOf(bo)
    const owed = { kind: 'receipt.put', receipt: { device: phone.messenger.identity.device } }
    const sent = await world.send(bo, ana, 'what becomes of it')
    await world.run(5_000)
    const isNews = (kind: StoreWrite['kind']) => (write: StoreWrite) =>
      write.kind === kind && 'message' in write && write.message === sent.id
    expect(beside(commits(), isNews('outbox.acknowledged'), 'receipt.put')).toMatchObject([owed])
    expect(await phone.messenger.message(sent.id)).toMatchObject({ state: 'delivered' })
    expect(await bo.store.receiptDevices()).toEqual([])
    world.kill(ana)
    const { id } = await bo.messenger.send(world.contactOf(bo, ana), 'given up', { expireMs: 10_000 })
    const [row] = await bo.store.outboxOf(id)
    if (row === undefined) throw new Error('nothing waits')
    await bo.messenger['dispatcher']['onCarried'](row, 'http://a.test')
    await world.run(60_000)
    const failed = (write: StoreWrite): boolean => write.kind === 'message.state' && write.id === id && write.state === 'failed'
    expect(beside(commits(), failed, 'receipt.put')[0]).toMatchObject(owed)
    const carried = (write: StoreWrite): boolean => write.kind === 'outbox.carried' && write.message === id
    expect(beside(commits(), carried, 'receipt.put')).toMatchObject([owed])
    expect(await phone.messenger.message(id)).toMatchObject({ state: 'failed', reason: 'expired' })
    await bo.messenger.deliveries.retry(id)
    await world.run(5_000)
    expect(await phone.messenger.message(id)).toMatchObject({ state: 'queued', reason: null })
  })

  it('[DP2] wishes for proofs, and that a signature is owed', async () => {
    const world = new World(42)
    const [ana, bo] = [await world.start('ana'), await world.start('bo')]
    await world.befriend(ana, bo)
    const [commits, ofAna] = [commitsOf(bo), commitsOf(ana)]
    await ana.messenger.proofs.allow(true)
    await bo.messenger.proofs.allow(true)
    await world.run(5_000)
    const wish = { kind: 'setting.put', key: `proofs-theirs ${ana.messenger.identity.account}`, value: 'on' }
    expect(beside(commits(), ({ kind }) => kind === 'digest.put', 'setting.put')).toContainEqual(wish)
    const { id } = await world.send(ana, bo, 'to be signed')
    await world.run(5_000)
    const owed = { kind: 'receipt.put', receipt: { device: ana.messenger.identity.device, message: id, read: false } }
    expect(beside(commits(), ({ kind }) => kind === 'message.insert', 'receipt.put')).toEqual([owed])
    expect((await ana.messenger.proofs.of(id)).receipts).toHaveLength(1)
    // [DL26] What was signed is kept with the receipt until it has been looked at.
    const key = `late-words ${bo.messenger.identity.device}`
    const kept = beside(ofAna(), ({ kind }) => kind === 'digest.put', 'setting.put').filter((write) => 'key' in write && write.key === key)
    expect(kept).toHaveLength(1)
    await expect.poll(() => ana.store.setting(key)).toBe('')
  })

  it('[DV15] delivery tags', async () => {
    const world = new World(43)
    const [ana, bo] = [await world.start('ana'), await world.start('bo')]
    await world.befriend(ana, bo)
    const commits = commitsOf(bo)
    const { device } = ana.messenger.identity
    const [path, known] = [ana.messenger['mainPath'], ana.messenger.book.device(bo.messenger.identity.device)]
    if (path === undefined || known === undefined) throw new Error('not in contact')
    const handover = { firstDay: dayOf(world.clock.now()) + 1, deliveryTags: new Uint8Array(32).fill(7), oneTime: undefined }
    await sendControl(path, known, { control: { kind: 'handover', handover } })
    await world.run(2_000)
    expect(beside(commits(), ({ kind }) => kind === 'digest.put', 'device.handover')).toMatchObject([{ device }])
    const held = decodeHandover(bo.messenger.book.device(device)?.handover ?? new Uint8Array())
    expect(held).toMatchObject({ firstDay: handover.firstDay, deliveryTags: handover.deliveryTags })
    expect((await bo.store.device(device))?.handover).toEqual(bo.messenger.book.device(device)?.handover)
  })
})
