import { expect, it } from 'vitest'
import { content, filesOf, offer, pair, stateOf } from '../testing/file-pair.ts'
import type { KeptTransfers } from './file-ports.ts'

it('[FI40] what ended 90 days ago is shown no longer; what waits stays', async () => {
  const { world, ana, bo } = await pair(950)
  ana.disk.files.set('a.bin', content(1, 1_000))
  const done = await offer({ world, ana, bo })
  await filesOf(bo).accept(done.id, 'in')
  await world.run(3_000)
  const waiting = await offer({ world, ana, bo })
  expect([stateOf(bo, done), stateOf(bo, waiting)]).toEqual(['done', 'offered'])
  world.kill(bo.node)
  const again = async (days: number): Promise<void> => {
    bo.node = await world.start('bo', { store: bo.node.store.reopened(), files: bo.disk, skewMs: days * 86_400_000 })
  }
  await again(89)
  expect(filesOf(bo).list()).toHaveLength(2)
  world.kill(bo.node)
  await again(91)
  expect(
    filesOf(bo)
      .list()
      .map(({ id }) => id),
  ).toEqual([waiting.id])
  expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, 1_000))
})

it('[FI40] what is left is looked for; what leads nowhere but through its conversation goes with that', async () => {
  const both = await pair(951)
  const { world, ana, bo } = both
  const account = ana.node.messenger.identity.account
  ana.disk.files.set('a.bin', content(1, 1_000))
  const done = await offer(both)
  await filesOf(bo).accept(done.id, 'in')
  await world.run(3_000)
  const [tidied, removed]: [KeptTransfers[], string[]] = [[], []]
  Object.assign(bo.disk, {
    tidy: async (kept: KeptTransfers) => void tidied.push(kept),
    removeReceived: async (path: string) => void removed.push(path),
  })
  world.kill(bo.node)
  bo.node = await world.start('bo', { store: bo.node.store.reopened(), files: bo.disk })
  expect(tidied).toMatchObject([{ ids: [done.id], paths: ['in/a.bin'], ended: [{ id: done.id, folder: 'in' }] }])
  world.kill(bo.node)
  bo.node = await world.start('bo', { store: bo.node.store.reopened(), files: bo.disk, skewMs: 91 * 86_400_000 })
  expect([filesOf(bo).list().length, tidied.at(-1)?.paths, removed]).toEqual([1, ['in/a.bin'], []])
  await filesOf(bo).clear(account)
  expect(removed).toEqual(['in/a.bin'])
})

it('[FI40] [FI32] what the user removes where the platform keeps it leads nowhere any more, and then goes in time', async () => {
  const both = await pair(952)
  const { world, ana, bo } = both
  ana.disk.files.set('a.bin', content(1, 1_000))
  const done = await offer(both)
  await filesOf(bo).accept(done.id, 'in')
  await world.run(3_000)
  // A folder of the user's.
  expect(await filesOf(bo).removeReceived(done.id)).toMatchObject({ path: 'in/a.bin' })
  const removed: string[] = []
  Object.assign(bo.disk, { removeReceived: async (path: string) => void removed.push(path) })
  expect(await filesOf(bo).removeReceived(done.id)).toMatchObject({ state: 'done', path: null })
  expect(removed).toEqual(['in/a.bin'])
  world.kill(bo.node)
  bo.node = await world.start('bo', { store: bo.node.store.reopened(), files: bo.disk, skewMs: 91 * 86_400_000 })
  expect(filesOf(bo).list()).toEqual([])
})
