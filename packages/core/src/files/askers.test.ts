/** Two devices of a recipient that decide differently about one offer. */
import { expect, it } from 'vitest'
import { SkeinError } from '../errors/index.ts'
import { content, filesOf, offer, stateOf, until, withTablet } from '../testing/file-pair.ts'

/** A slow offer of which 300 kB have come to bo, while the tablet is still asked. */
async function half(seed: number) {
  const all = await withTablet(seed)
  const { world, ana, bo } = all
  const bytes = content(seed, 1_500_000)
  ana.disk.files.set('a.bin', bytes)
  await filesOf(ana).setRate(200_000)
  const transfer = await offer(all)
  await filesOf(bo).accept(transfer.id, 'in')
  await until(world, () => filesOf(bo).get(transfer.id).bytes > 300_000)
  return { ...all, transfer, bytes }
}

it('[FI63] who declines at one device what comes to another takes it from nobody', async () => {
  const { world, ana, bo, tablet, transfer, bytes } = await half(71)
  await filesOf(tablet).cancel(transfer.id)
  await until(world, () => stateOf(bo, transfer) !== 'running', 40_000)
  expect([stateOf(tablet, transfer), stateOf(bo, transfer), bo.disk.files.get('in/a.bin')]).toEqual(['cancelled', 'done', bytes])
  await until(world, () => stateOf(ana, transfer) === 'done')
})

it('[FI63] what a disk cannot take goes on where another can, also over a pause there', async () => {
  const { world, ana, bo, tablet, transfer, bytes } = await half(72)
  await filesOf(bo).pause(transfer.id)
  await until(world, () => filesOf(ana).get(transfer.id).reason === 'paused-there')
  tablet.disk.openSink = () => Promise.reject(new SkeinError('NAME_TOO_LONG', 'It does not fit.'))
  await filesOf(tablet).accept(transfer.id, 'in')
  await until(world, () => stateOf(tablet, transfer) === 'failed')
  await world.run(10_000)
  expect([stateOf(ana, transfer), stateOf(bo, transfer)]).toEqual(['waiting', 'paused'])
  await filesOf(bo).resume(transfer.id)
  await until(world, () => bo.disk.files.has('in/a.bin'), 40_000)
  expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
})

it('[FI63] a pause at one device is none of the offer while another fetches; the last one ends it', async () => {
  const { world, ana, bo, tablet, transfer } = await half(73)
  await filesOf(tablet).accept(transfer.id, 'in')
  await until(world, () => filesOf(tablet).get(transfer.id).bytes > 100_000, 40_000)
  await filesOf(tablet).pause(transfer.id)
  await world.run(1_000)
  expect(filesOf(ana).get(transfer.id)).toMatchObject({ state: 'running', reason: null })
  await filesOf(tablet).cancel(transfer.id)
  await world.run(1_000)
  expect(stateOf(bo, transfer)).toBe('running')
  await filesOf(bo).cancel(transfer.id)
  await until(world, () => stateOf(ana, transfer) === 'cancelled')
})

it('[FI63] who has asked counts after a restart of the sender too', async () => {
  const { world, ana, bo, tablet, transfer, bytes } = await half(74)
  world.kill(bo.node)
  await until(world, () => stateOf(ana, transfer) === 'waiting')
  world.kill(ana.node)
  ana.node = await world.start('ana', { store: ana.node.store.reopened(), files: ana.disk })
  await filesOf(tablet).cancel(transfer.id)
  await world.run(40_000)
  expect([stateOf(tablet, transfer), stateOf(ana, transfer)]).toEqual(['cancelled', 'waiting'])
  bo.node = await world.start('bo', { store: bo.node.store.reopened(), files: bo.disk })
  await until(world, () => bo.disk.files.has('in/a.bin'), 40_000)
  expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
})

it('[FI63] a store that is full keeps nobody from being heard', async () => {
  const { world, ana, bo, tablet, transfer, bytes } = await half(75)
  ana.node.store.full = true
  await filesOf(tablet).cancel(transfer.id)
  await until(world, () => bo.disk.files.has('in/a.bin'), 40_000)
  expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
  const [declined] = await tablet.node.store.transfers()
  expect(declined).toMatchObject({ state: 'cancelled', told: true })
})
