import { expect, it } from 'vitest'
import { content, filesOf, offer, pair, stateOf } from '../testing/file-pair.ts'

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
