import { expect, it } from 'vitest'
import { content, filesOf, offer, type Pair } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { World } from '../testing/world.ts'

it('[FI30] files that are left for later are loaded by the first offer, and at the next start because there was one', async () => {
  const world = new World(1)
  const [first, second] = [new MemoryFiles(), new MemoryFiles()]
  let loads = 0
  const lateFiles = async (): Promise<MemoryFiles> => {
    loads += 1
    // The first try fails, as where a server does not answer.
    if (loads === 1) throw new Error('not loaded')
    return second
  }
  const ana = { disk: first, node: await world.start('ana', { files: first }) }
  const bo = { disk: second, node: await world.start('bo', { lateFiles }) }
  const both: Pair = { world, ana, bo }
  await world.befriend(ana.node, bo.node)
  expect([loads, bo.node.messenger.files]).toEqual([0, undefined])
  ana.disk.files.set('a.bin', content(1, 300_000))
  await offer(both)
  expect([loads, bo.node.messenger.files]).toEqual([1, undefined])
  const transfer = await offer(both)
  await world.run(1_000)
  expect(loads).toBe(2)
  // What came while it could not be loaded is there too.
  expect(filesOf(bo).list()).toHaveLength(2)
  world.kill(bo.node)
  bo.node = await world.start('bo', { lateFiles, store: bo.node.store.reopened() })
  await world.run(1_000)
  await filesOf(bo).accept(transfer.id, 'in')
  await world.run(5_000)
  expect([loads, bo.disk.files.get('in/a.bin')]).toEqual([3, content(1, 300_000)])
})

it('[FI30] where there are no files at all, nothing is loaded and asking says so', async () => {
  const world = new World(2)
  const node = await world.start('ana')
  await expect(node.messenger.transfers.open()).rejects.toMatchObject({ code: 'USAGE' })
})
