import { describe, expect, it } from 'vitest'
import { content, filesOf, offer, pair, stateOf, until } from '../testing/file-pair.ts'
import type { ContentSink, SinkWish } from './file-ports.ts'
import { KeptSinks } from './kept-sinks.ts'
import { MAX_KEPT_SINKS } from './limits.ts'

describe('what is open from one try to the next', () => {
  it('[FI15] [FI18] is not read and hashed again for a link that was cut, and is closed when the user pauses', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_600_000))
    const transfer = await offer(both)
    let opened = 0
    bo.disk.before = async (step) => void (opened += step === 'open' ? 1 : 0)
    await filesOf(bo).accept(transfer.id, 'in')
    for (const goal of [200_000, 500_000, 800_000]) {
      await until(world, () => filesOf(bo).get(transfer.id).bytes > goal)
      world.network.dropLinks(() => true)
    }
    await until(world, () => filesOf(bo).get(transfer.id).bytes > 1_000_000)
    expect(opened).toBe(1)
    await filesOf(bo).pause(transfer.id)
    await world.run(5_000)
    await filesOf(bo).resume(transfer.id)
    await until(world, () => stateOf(bo, transfer) === 'done')
    expect([opened, bo.disk.files.get('in/a.bin')]).toEqual([2, content(1, 1_600_000)])
  })

  function counted() {
    const open = new Set<string>()
    const openSink = async ({ id }: SinkWish): Promise<ContentSink> => {
      open.add(id)
      return { close: async () => void open.delete(id) } as ContentSink
    }
    const kept = new KeptSinks({ openSink })
    return { open, kept, use: (id: string) => kept.openSink({ id, manifest: {} } as SinkWish) }
  }

  it('[FI15] is bounded: who has waited longest is closed', async () => {
    const { open, use } = counted()
    for (let number = 0; number < MAX_KEPT_SINKS + 3; number += 1) await (await use(`${number}`)).close()
    expect([open.size, open.has('2'), open.has('3')]).toEqual([MAX_KEPT_SINKS, false, true])
  })

  it('[FI15] that is dropped while it is used is closed when it is given back', async () => {
    const { open, kept, use } = counted()
    const lent = await use('a')
    await kept.drop('a')
    expect(open.size).toBe(1)
    await lent.close()
    expect(open.size).toBe(0)
  })
})
