/** Disks that are away for a while, on either side. */
import { expect, it } from 'vitest'
import { SkeinError } from '../errors/index.ts'
import { accepted, content, filesOf, offer, pair, stateOf, underWay, until } from '../testing/file-pair.ts'

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

it('[FI62] a disk that fails in a way that nobody knows pauses it, and what it waited for is said', async () => {
  const { world, ana, bo, transfer } = await underWay()
  const { moved } = filesOf(bo).get(transfer.id)
  bo.disk.before = (step) => (step === 'write' ? Promise.reject(new Error('EIO')) : Promise.resolve())
  await until(world, () => stateOf(bo, transfer) === 'paused')
  expect(filesOf(bo).get(transfer.id).reason).toBe('unwritable')
  await until(world, () => filesOf(ana).get(transfer.id).reason === 'paused-there')
  bo.disk.before = () => Promise.resolve()
  await filesOf(bo).resume(transfer.id)
  await until(world, () => stateOf(bo, transfer) === 'done')
  expect(filesOf(bo).get(transfer.id).moved - moved).toBeLessThan(1_200_000)
})

it.each(['cancelled', 'ended by its sender', 'failed'])(
  '[FI24] what a full disk holds of a transfer goes when that is %s, and makes room to keep it',
  async (how) => {
    const { world, ana, bo, transfer } = await underWay()
    Object.assign(bo.disk, { full: true })
    Object.assign(bo.node.store, { full: true })
    await until(world, () => stateOf(bo, transfer) === 'paused')
    // The part is what fills the disk.
    const forget = bo.disk.forget.bind(bo.disk)
    bo.disk.forget = async (wish) => {
      await forget(wish)
      Object.assign(bo.node.store, { full: false })
    }
    if (how === 'cancelled') await filesOf(bo).cancel(transfer.id)
    if (how === 'ended by its sender') await filesOf(ana).cancel(transfer.id)
    if (how === 'failed') {
      Object.assign(bo.node.store, { full: false })
      bo.disk.openSink = async () => {
        Object.assign(bo.node.store, { full: true })
        throw new SkeinError('NAME_TOO_LONG', 'It does not fit.')
      }
      await filesOf(bo).resume(transfer.id)
    }
    const end = how === 'failed' ? 'failed' : 'cancelled'
    await until(world, () => stateOf(bo, transfer) === end && bo.disk.parts.size === 0)
    await until(world, () => stateOf(ana, transfer) === end)
    expect((await bo.node.store.transfer(transfer.id, 'in'))?.state).toBe(end)
  },
)

it('[FI40] what cannot be tidied keeps nobody from starting', async () => {
  const { world, ana, bo, transfer } = await underWay()
  world.kill(bo.node)
  Object.assign(bo.disk, { tidy: () => Promise.reject(new Error('EACCES')) })
  bo.node = await world.start('bo', { files: bo.disk, store: bo.node.store.reopened() })
  await until(world, () => stateOf(ana, transfer) === 'done')
  expect(stateOf(bo, transfer)).toBe('done')
})

it('[FI32] what is removed from a browser is removed before that is kept', async () => {
  const { world, bo, transfer } = await accepted()
  await until(world, () => stateOf(bo, transfer) === 'done')
  Object.assign(bo.node.store, { full: true })
  Object.assign(bo.disk, {
    removeReceived: async (path: string) => {
      bo.disk.files.delete(path)
      Object.assign(bo.node.store, { full: false })
    },
  })
  expect(await filesOf(bo).removeReceived(transfer.id)).toMatchObject({ path: null })
  expect([bo.disk.files.size, (await bo.node.store.transfer(transfer.id, 'in'))?.path]).toEqual([0, null])
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
