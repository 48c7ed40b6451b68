import { expect, it } from 'vitest'
import { content, filesOf, offer, pair, stateOf } from '../testing/file-pair.ts'
import { weightOf } from './auto-accept.ts'

it('[FI50] many small files weigh more than their bytes', () => {
  const folder = { entries: 200_000, listBytes: 3_000_000, listDigest: new Uint8Array(32) }
  expect(weightOf({ size: 200_000, folder })).toBeGreaterThan(800_000_000)
  expect(weightOf({ size: 200_000, folder: undefined })).toBe(200_000)
})

it('[FI50] of one contact no more comes in a day without asking than ten times what may come at once', async () => {
  const both = await pair(960)
  const { world, ana, bo } = both
  ana.disk.files.set('a.bin', content(1, 10_000))
  await filesOf(bo).setAutoAccept(ana.node.messenger.identity.account, { maxBytes: 20_000, folder: 'auto' })
  const states: string[] = []
  for (let count = 0; count < 21; count += 1) {
    const transfer = await offer(both)
    await world.run(2_000)
    states.push(stateOf(bo, transfer))
  }
  expect(states).toEqual([...Array<string>(20).fill('done'), 'offered'])
})
