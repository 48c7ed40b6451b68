/** Disks that are away for a while, on either side. */
import { expect, it } from 'vitest'
import { content, filesOf, offer, pair, stateOf, until } from '../testing/file-pair.ts'

it.each([400_000, 1_200_000])('[FI45] a disk of the recipient that fails pauses it, and it goes on from there (%d bytes)', async (length) => {
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
})
