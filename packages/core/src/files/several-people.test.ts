/** Files among more than two people. */
import { expect, it } from 'vitest'
import { content, filesOf, type Pair, pair, type Side } from '../testing/file-pair.ts'
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
