/** The user ends or pauses a transfer while something else is under way for it. */
import { describe, expect, it } from 'vitest'
import { content, filesOf, offer, type Pair, pair, stateOf, until } from '../testing/file-pair.ts'
import type { Transfer } from './index.ts'

describe('a transfer that the user ends or pauses just then', () => {
  async function heldAt(step: 'open' | 'write' | 'commit'): Promise<Pair & { readonly transfer: Transfer; release(): void }> {
    const both = await pair()
    const { ana, bo, world } = both
    ana.disk.files.set('a.bin', content(1, 600_000))
    const transfer = await offer(both)
    let isHeld = false
    const { promise, resolve } = held()
    bo.disk.before = async (each) => {
      if (each !== step) return
      isHeld = true
      await promise
    }
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => isHeld)
    return { ...both, transfer, release: resolve }
  }

  function held(): { readonly promise: Promise<void>; resolve(): void } {
    let resolve: () => void = () => undefined
    const promise = new Promise<void>((done) => (resolve = done))
    return { promise, resolve: () => resolve() }
  }

  it('[FI24] while its part is opened stays paused, and goes on when the user says so', async () => {
    const { world, bo, transfer, release } = await heldAt('open')
    await filesOf(bo).pause(transfer.id)
    release()
    await world.run(60_000)
    expect([stateOf(bo, transfer), filesOf(bo).get(transfer.id).bytes]).toEqual(['paused', 0])
    await filesOf(bo).resume(transfer.id)
    await world.run(5_000)
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, 600_000))
  })

  it.each([
    ['comes, and is not sent again', 0],
    ['is cut off where it takes longer than a second', 1_000_000],
  ])('[FI24] what is under way when its recipient pauses it %s', async (_what, rate) => {
    const size = 6_000_000
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, size))
    const transfer = await offer(both)
    await filesOf(ana).setRate(rate)
    await filesOf(bo).accept(transfer.id, 'in')
    const bytes = () => filesOf(bo).get(transfer.id).bytes
    await until(world, () => bytes() >= 1_000_000)
    await filesOf(bo).pause(transfer.id)
    await world.run(2_000)
    const there = bytes()
    await world.run(30_000)
    expect([stateOf(bo, transfer), bytes()]).toEqual(['paused', there])
    expect(there).toBeLessThan(rate === 0 ? size : 2_500_000)
    await filesOf(bo).resume(transfer.id)
    await until(world, () => stateOf(bo, transfer) === 'done')
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, size))
    if (rate === 0) expect(filesOf(ana).get(transfer.id).moved).toBe(size + 23 * 16)
  })

  it.each(['open', 'write'] as const)('[FI24] ended before the step %s is over, nothing is left of it', async (step) => {
    const { world, ana, bo, transfer, release } = await heldAt(step)
    await filesOf(bo).cancel(transfer.id)
    release()
    await world.run(5_000)
    expect([stateOf(ana, transfer), stateOf(bo, transfer)]).toEqual(['cancelled', 'cancelled'])
    expect([bo.disk.parts.size, bo.disk.files.size]).toEqual([0, 0])
  })

  it.each([961, 962, 963])('[FI24] ended before its offer has come, nobody is asked about it (%i)', async (seed) => {
    const both = await pair(seed)
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_000))
    world.network.partition(ana.node.swarm.self, bo.node.swarm.self, true)
    const transfer = await offer(both)
    await filesOf(ana).cancel(transfer.id)
    world.network.partition(ana.node.swarm.self, bo.node.swarm.self, false)
    await world.run(60_000)
    expect([stateOf(ana, transfer), stateOf(bo, transfer)]).toEqual(['cancelled', 'cancelled'])
  })

  it.each(['sender', 'recipient'])('[FI19] [FI24] ended by its %s while it is moved to its name, it is done on both sides', async (who) => {
    const { world, ana, bo, transfer, release } = await heldAt('commit')
    const ending = filesOf(who === 'sender' ? ana : bo).cancel(transfer.id)
    await world.run(1_000)
    release()
    await ending
    await world.run(60_000)
    expect(stateOf(bo, transfer)).toBe('done')
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, 600_000))
    expect([bo.disk.parts.size, stateOf(ana, transfer)]).toEqual([0, who === 'sender' ? 'cancelled' : 'done'])
  })
})
