/** Files among more than two people. */
import { expect, it } from 'vitest'
import { content, filesOf, type Pair, pair, type Side, until } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'

interface Three extends Pair {
  readonly cid: Side
}

/** ana knows bo and cid. */
async function three(): Promise<Three> {
  const both = await pair()
  const disk = new MemoryFiles()
  const cid = { disk, node: await both.world.start('cid', { files: disk }) }
  await both.world.befriend(both.ana.node, cid.node)
  both.ana.disk.files.set('a.bin', content(1, 700_000))
  return { ...both, cid }
}

const offersOf = (side: Side): readonly string[] =>
  filesOf(side)
    .list()
    .map(({ state }) => state)

it('[FI44] who sends to several, one of whom gets nothing, has sent to nobody', async () => {
  const { world, ana, bo, cid } = await three()
  await ana.node.messenger.change(cid.node.messenger.identity.account, { blocked: true })
  const contacts = [bo, cid].map(({ node }) => world.contactOf(ana.node, node))
  await expect(filesOf(ana).send(contacts, ['a.bin'])).rejects.toMatchObject({ code: 'CONTACT_BLOCKED' })
  await world.run(5_000)
  expect([offersOf(ana), offersOf(bo)]).toEqual([[], []])
})

it('[FI44] an offer is withdrawn where the next one cannot be made', async () => {
  const { world, ana, bo, cid } = await three()
  const { store } = ana.node
  const commit = store.commit.bind(store)
  store.commit = (writes) =>
    writes.some((each) => each.kind === 'transfer.offer') && offersOf(ana).length > 0
      ? Promise.reject(new Error('no room'))
      : commit(writes)
  const contacts = [bo, cid].map(({ node }) => world.contactOf(ana.node, node))
  await expect(filesOf(ana).send(contacts, ['a.bin'])).rejects.toThrow('no room')
  await world.run(5_000)
  for (const { id } of filesOf(bo).list()) await filesOf(bo).accept(id)
  await world.run(5_000)
  expect([offersOf(ana), offersOf(bo), offersOf(cid)]).toEqual([['cancelled'], ['cancelled'], []])
})

it('[FI4] who accepts at once gets what is offered, also before its sender has come to know of its own offer', async () => {
  const { world, ana, bo } = await three()
  await filesOf(bo).setAutoAccept(ana.node.messenger.identity.account, { maxBytes: 1_000_000, folder: 'auto' })
  const { store } = ana.node
  const held = Promise.withResolvers<void>()
  const read = store.transfer.bind(store)
  store.transfer = async (...of) => {
    store.transfer = read
    await held.promise
    return read(...of)
  }
  const sending = filesOf(ana).send([world.contactOf(ana.node, bo.node)], ['a.bin'])
  await until(world, () => offersOf(bo).some((state) => state === 'done' || state === 'failed'))
  held.resolve()
  await sending
  await until(world, () => offersOf(ana).includes('done'))
  expect([offersOf(ana), offersOf(bo)]).toEqual([['done'], ['done']])
})

it('[FI7] an offer under the id of another offer is refused, and changes nothing about that', async () => {
  const { world, ana, bo, cid } = await three()
  ana.disk.files.set('b.bin', content(2, 300))
  const [account, store] = [bo.node.messenger.identity.account, ana.node.store]
  await filesOf(ana).setAutoAccept(account, { maxBytes: 1_000_000, folder: 'auto' })
  for (const side of [bo, cid]) side.disk.files.set('c.bin', content(3, 700))
  const to = (side: Side, from: Side) => world.contactOf(from.node, side.node)
  const [ours] = await filesOf(ana).send([to(bo, ana)], ['a.bin'])
  const sending = filesOf(cid).send([to(ana, cid)], ['c.bin'])
  await world.run(1_000)
  const [theirs] = await sending
  if (ours === undefined || theirs === undefined) throw new Error('both are offered')
  const made = await cid.node.store.transfer(theirs.id, 'out')
  if (made === null) throw new Error('it is kept')
  for (const { id } of [ours, theirs])
    await bo.node.messenger.send(
      to(ana, bo),
      { kind: 'file', name: 'evil', transfer: { manifest: made.manifest, place: '["c.bin"]' } },
      { id },
    )
  await world.run(5_000)
  expect(filesOf(ana).list()).toMatchObject([
    { id: ours.id, direction: 'out' },
    { id: theirs.id, direction: 'in', state: 'offered', contact: cid.node.messenger.identity.account },
  ])
  expect([await store.transfer(ours.id, 'in'), ana.disk.files.has('auto/c.bin')]).toEqual([null, false])
  expect(await filesOf(ana).cancel(ours.id)).toMatchObject({ direction: 'out', state: 'cancelled' })
})

it.each(['sender', 'recipient'])(
  '[FI4] the %s blocks the other in mid-transfer: nothing moves from then on, and it goes on when that ends',
  async (who) => {
    const { world, ana, bo } = await three()
    const bytes = content(4, 4_000_000)
    ana.disk.files.set('a.bin', bytes)
    await filesOf(ana).setRate(500_000)
    const sending = filesOf(ana).send([world.contactOf(ana.node, bo.node)], ['a.bin'])
    await world.run(1_000)
    const [transfer] = await sending
    if (transfer === undefined) throw new Error('it is offered')
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => filesOf(bo).get(transfer.id).bytes > 500_000)
    const [one, other] = who === 'sender' ? [ana, bo] : [bo, ana]
    const account = other.node.messenger.identity.account
    await one.node.messenger.change(account, { blocked: true })
    await world.run(1_000)
    const { moved } = filesOf(bo).get(transfer.id)
    await world.run(60_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'waiting', moved })
    await one.node.messenger.change(account, { blocked: false })
    await world.run(120_000)
    expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
  },
)
