/** Disks that are away for a while, on either side. */
import { expect, it } from 'vitest'
import { content, filesOf, offer, pair, stateOf, until } from '../testing/file-pair.ts'

it.each([400_000, 1_200_000])(
  '[FI45] a disk of the recipient that fails pauses it, and it goes on from there (%d bytes)',
  async (length) => {
    const both = await pair()
    const { world, ana, bo } = both
    const bytes = content(1, length)
    ana.disk.files.set('a.bin', bytes)
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => filesOf(bo).get(transfer.id).bytes > 200_000)
    bo.disk.unwritable = true
    await world.run(60_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'paused', reason: 'unwritable' })
    expect([stateOf(ana, transfer), bo.disk.parts.size]).toEqual(['waiting', 1])
    bo.disk.unwritable = false
    const { moved } = filesOf(bo).get(transfer.id)
    await filesOf(bo).resume(transfer.id)
    await world.run(60_000)
    expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
    expect(filesOf(bo).get(transfer.id).moved - moved).toBeLessThan(bytes.length)
  },
)

it('[FI45] a disk that is full for the store too is said to be', async () => {
  const both = await pair()
  const { world, ana, bo } = both
  ana.disk.files.set('a.bin', content(1, 1_200_000))
  const transfer = await offer(both)
  await filesOf(bo).accept(transfer.id, 'in')
  await until(world, () => filesOf(bo).get(transfer.id).bytes > 200_000)
  Object.assign(bo.disk, { full: true })
  Object.assign(bo.node.store, { full: true })
  await world.run(60_000)
  const told = bo.node.events.flatMap((event) => (event.kind === 'transfer' ? [event.transfer] : []))
  expect(told.at(-1)).toMatchObject({ state: 'paused', reason: 'DISK_FULL' })
})

it.each([
  ['FILE_UNREADABLE', 'source-away'],
  ['STORE_CLOSED', null],
] as const)('[FI46] a source that fails for a while (%s) ends nothing: it goes on from there', async (code, reason) => {
  const both = await pair()
  const { world, ana, bo } = both
  const bytes = content(1, 4_000_000)
  ana.disk.files.set('a.bin', bytes)
  const transfer = await offer(both)
  await filesOf(ana).setRate(500_000)
  await filesOf(bo).accept(transfer.id, 'in')
  await until(world, () => filesOf(bo).get(transfer.id).bytes > 200_000)
  ana.disk.away = code
  await world.run(120_000)
  expect([filesOf(ana).get(transfer.id), stateOf(bo, transfer)]).toMatchObject([{ state: 'waiting', reason }, 'waiting'])
  ana.disk.away = undefined
  await world.run(60_000)
  expect([stateOf(ana, transfer), stateOf(bo, transfer)]).toEqual(['done', 'done'])
  expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
  expect(filesOf(bo).get(transfer.id).moved).toBeLessThan(1.5 * bytes.length)
})

it('[FI46] [FI11] what was away and is another when it is back has changed', async () => {
  const both = await pair()
  const { world, ana, bo } = both
  ana.disk.files.set('a.bin', content(1, 1_000))
  const transfer = await offer(both)
  ana.disk.away = 'FILE_UNREADABLE'
  await filesOf(bo).accept(transfer.id, 'in')
  await world.run(60_000)
  ana.disk.away = undefined
  ana.disk.files.set('a.bin', content(2, 10))
  await until(world, () => stateOf(ana, transfer) === 'failed')
  expect(filesOf(ana).get(transfer.id).reason).toBe('FILE_CHANGED')
})
