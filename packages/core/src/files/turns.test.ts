import { describe, expect, it } from 'vitest'
import { content, filesOf, offer, type Pair, pair, type Side, stateOf } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { BulkClaims } from './bulk-claims.ts'
import { FILE_PROTOCOL } from './file-link.ts'
import type { BulkLink } from './file-ports.ts'
import type { Transfer } from './index.ts'
import { BULK_HELD_MS, GIVE_WAY_BYTES_PER_S, GIVE_WAY_MS, MAX_UNCLAIMED, QUIET_MS } from './limits.ts'
import { Pace } from './pace.ts'
import { Turns } from './turns.ts'

/** Ana has offered three files that were accepted, and cid one. */
async function four(both: Pair): Promise<{ readonly hers: readonly Transfer[]; readonly his: Transfer }> {
  const { world, ana, bo } = both
  const disk = new MemoryFiles()
  const cid: Side = { disk, node: await world.start('cid', { files: disk }) }
  await world.befriend(cid.node, bo.node)
  cid.disk.files.set('c.bin', content(9, 600_000))
  const his = await offer({ world, ana: cid, bo }, ['c.bin'])
  const hers: Transfer[] = []
  for (const name of ['a', 'b', 'c']) {
    ana.disk.files.set(name, content(1, 600_000))
    hers.push(await offer(both, [name]))
  }
  return { hers, his }
}

describe('turns', () => {
  it('[FI22] three who say nothing keep nobody waiting for long, and go on when they do', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { hers, his } = await four(both)
    const serve = ana.node.swarm.handlers.get(FILE_PROTOCOL)
    if (serve === undefined) throw new Error('it serves')
    const speaks: (() => void)[] = []
    ana.node.swarm.handlers.set(FILE_PROTOCOL, async (channel) => {
      await new Promise<void>((resolve) => speaks.push(resolve))
      await serve(channel)
    })
    for (const { id } of [...hers, his]) await filesOf(bo).accept(id, 'in')
    await world.run(QUIET_MS - 10_000)
    expect(stateOf(bo, his)).toBe('waiting')
    await world.run(20_000)
    expect(stateOf(bo, his)).toBe('done')
    expect(hers.map(({ id }) => filesOf(bo).get(id))).toMatchObject(Array(3).fill({ state: 'waiting', reason: 'silent' }))
    ana.node.swarm.handlers.set(FILE_PROTOCOL, serve)
    for (const each of speaks) each()
    await world.run(10_000)
    expect(hers.map((each) => stateOf(bo, each))).toEqual(['done', 'done', 'done'])
  })

  it('[FI22] who waits for its turn is told its place, which moves up as others go', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { hers, his } = await four(both)
    const more: Transfer[] = []
    for (const name of ['d', 'e']) {
      ana.disk.files.set(name, content(1, 600_000))
      more.push(await offer(both, [name]))
    }
    const places = (): readonly (number | null)[] => [his, ...more].map(({ id }) => filesOf(bo).get(id).queue)
    await filesOf(bo).setRate(1_000)
    for (const { id } of [...hers, his, ...more]) {
      await filesOf(bo).accept(id, 'in')
      await world.run(1_000)
    }
    expect(hers.map(({ id }) => filesOf(bo).get(id))).toMatchObject(Array(3).fill({ state: 'running', queue: null }))
    expect(places()).toEqual([1, 2, 3])
    await filesOf(bo).pause(his.id)
    expect(places()).toEqual([null, 1, 2])
    await filesOf(bo).resume(his.id)
    expect(places()).toEqual([1, 2, 3])
    await filesOf(bo).pause(his.id)
    for (const { id } of hers.slice(0, 1)) await filesOf(bo).cancel(id)
    await world.run(1_000)
    expect(places()).toEqual([null, null, 1])
    await filesOf(bo).setRate(0)
    await filesOf(bo).resume(his.id)
    await world.run(20_000)
    expect([places(), [his, ...more].map((each) => stateOf(bo, each))]).toEqual([Array(3).fill(null), Array(3).fill('done')])
  })

  it('[FI22] [FI24] what its sender has paused meanwhile waits for that, and for no turn', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { hers } = await four(both)
    ana.disk.files.set('d', content(1, 600_000))
    const more = await offer(both, ['d'])
    await filesOf(bo).setRate(1_000)
    for (const { id } of [...hers, more]) {
      await filesOf(bo).accept(id, 'in')
      await world.run(1_000)
    }
    expect(filesOf(bo).get(more.id)).toMatchObject({ state: 'waiting', reason: null, queue: 1 })
    await filesOf(ana).pause(more.id)
    await world.run(1_000)
    expect(filesOf(bo).get(more.id)).toMatchObject({ state: 'waiting', reason: 'paused-there', queue: null })
    await filesOf(ana).resume(more.id)
    await world.run(1_000)
    expect(filesOf(bo).get(more.id)).toMatchObject({ state: 'waiting', reason: null, queue: 1 })
  })

  it('[FI22] a place that gets free is of who has waited, not of who comes just then', async () => {
    const turns = new Turns(1, new VirtualClock())
    let [now, most] = [0, 0]
    const take = (): Promise<void> =>
      turns.take({ moved: () => 0, onStill: () => undefined }, async () => {
        now += 1
        most = Math.max(most, now)
        await Promise.resolve()
        now -= 1
      })
    const all: Promise<void>[] = []
    const keepComing = async (): Promise<void> => {
      for (let count = 0; count < 100; count += 1) {
        all.push(take())
        await Promise.resolve()
      }
    }
    await Promise.all([keepComing(), take(), keepComing(), take(), keepComing()])
    await Promise.all(all)
    expect([most, now]).toEqual([1, 0])
  })

  it('[FI22] who is away takes no turn, however long it takes to find that out', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { hers, his } = await four(both)
    const { swarm } = bo.node
    const [open, paths] = [swarm.open.bind(swarm), swarm.paths.bind(swarm)]
    const her = ana.node.swarm.self
    swarm.paths = () => paths().filter(({ device }) => device !== her)
    swarm.open = (device, ...rest) => (device === her ? new Promise(() => undefined) : open(device, ...rest))
    for (const { id } of [...hers, his]) await filesOf(bo).accept(id, 'in')
    await world.run(5_000)
    expect(stateOf(bo, his)).toBe('done')
  })
})

describe('the bound of bytes a second', () => {
  it('[FI23] counts at once when it is raised, also for who waits', async () => {
    const clock = new VirtualClock()
    const pace = new Pace(clock)
    pace.rate = 1
    const passed: number[] = []
    await pace.pass(100)
    for (const each of [1, 2]) void pace.pass(100).then(() => passed.push(each))
    await clock.advance(50_000)
    expect(passed).toEqual([])
    pace.rate = 100
    await clock.advance(1)
    expect(passed).toEqual([1])
    await clock.advance(1_000)
    expect(passed).toEqual([1, 2])
  })

  it('[FI52] is narrow for a moment when somebody writes, and what it was after it', async () => {
    const clock = new VirtualClock()
    const pace = new Pace(clock)
    let passed = 0
    const stream = async (): Promise<void> => {
      for (; passed < 100; passed += 1) await pace.pass(GIVE_WAY_BYTES_PER_S / 20)
    }
    pace.giveWay()
    const streaming = stream()
    await clock.advance(GIVE_WAY_MS - 1)
    expect(passed).toBe(GIVE_WAY_MS / 50)
    pace.giveWay()
    await clock.advance(GIVE_WAY_MS - 1)
    expect(passed).toBe((2 * GIVE_WAY_MS) / 50)
    await clock.advance(51)
    await streaming
  })

  it('[FI52] [FI23] what is narrower still stays so', async () => {
    const clock = new VirtualClock()
    const pace = new Pace(clock)
    pace.rate = 100
    pace.giveWay()
    let passed = 0
    for (const bytes of [10, 10]) void pace.pass(bytes).then(() => (passed += 1))
    await clock.advance(99)
    expect(passed).toBe(1)
    await clock.advance(1)
    expect(passed).toBe(2)
  })

  it('[FI52] files give way to messages that come or go, and not to the offers of files', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 12_000_000))
    const begin = async (): Promise<Transfer> => {
      const transfer = await offer(both)
      await filesOf(bo).accept(transfer.id, 'in')
      return transfer
    }
    const isDone = (transfer: Transfer) => stateOf(bo, transfer) === 'done'
    const alone = await begin()
    await world.run(400)
    expect(isDone(alone)).toBe(true)
    const beside = await begin()
    for (let at = 0; at < 10; at += 1) {
      await ana.node.messenger.send(world.contactOf(ana.node, bo.node), { kind: 'text', text: `${at}` })
      await world.run(40)
    }
    expect(isDone(beside)).toBe(false)
    await world.run(2_000)
    expect(isDone(beside)).toBe(true)
  })

  it('[FI23] [FI24] keeps nobody who is not wanted any more', async () => {
    const clock = new VirtualClock()
    const pace = new Pace(clock)
    pace.rate = 1
    await pace.pass(1_000)
    const over = new AbortController()
    let hasPassed = false
    void pace.pass(1, over.signal).then(() => (hasPassed = true))
    await clock.advance(10)
    over.abort()
    await clock.advance(0)
    expect(hasPassed).toBe(true)
  })

  it('[FI23] [FI24] a transfer that is paused under a narrow bound goes on as soon as the bound is gone', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_600_000))
    const transfer = await offer(both)
    await filesOf(bo).setRate(100)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(3_000)
    await filesOf(bo).pause(transfer.id)
    await world.run(2_000)
    await filesOf(bo).setRate(0)
    await filesOf(bo).resume(transfer.id)
    await world.run(20_000)
    expect(stateOf(bo, transfer)).toBe('done')
  })
})

describe('who sends', () => {
  it('[FI24] waits again when nobody fetches any more', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_600_000))
    const transfer = await offer(both)
    await filesOf(ana).setRate(50_000)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(3_000)
    expect(stateOf(ana, transfer)).toBe('running')
    world.kill(bo.node)
    world.network.dropLinks(() => true)
    await world.run(5_000)
    expect(stateOf(ana, transfer)).toBe('waiting')
  })

  it('raw connections that one device leaves without a request close nobody else out, and count until they are claimed', async () => {
    const clock = new VirtualClock()
    const claims = new BulkClaims(clock)
    const many = Array.from({ length: MAX_UNCLAIMED + 1 }, (_, seed) => named(seed))
    const other = named(1, 'cid')
    for (const { link } of [...many, other]) void claims.take(link)
    await clock.advance(100)
    expect(many.map((each) => each.isClosed()).indexOf(true)).toBe(MAX_UNCLAIMED)
    expect(await claims.claim(other.link.peer, other.name)).toBe(other.link)
    const [first = other] = many
    expect(await claims.claim(first.link.peer, first.name)).toBe(first.link)
    await clock.advance(100)
    const next = named(99)
    void claims.take(next.link)
    await clock.advance(100)
    expect(next.isClosed()).toBe(false)
  })

  function named(seed: number, peer = 'bo'): { readonly link: BulkLink; readonly name: Uint8Array; isClosed(): boolean } {
    const name = seededRandom(seed).bytes(16)
    let closed = false
    const frames = async function* (): AsyncGenerator<Uint8Array> {
      yield name
    }
    const link = { peer, via: 'direct', frames, send: async () => true, close: () => void (closed = true) } as unknown as BulkLink
    return { link, name, isClosed: () => closed }
  }

  it('[FI26] of two raw connections under one name one is closed at once, the other when nobody claims it', async () => {
    const clock = new VirtualClock()
    const claims = new BulkClaims(clock)
    const [first, second] = [named(1), named(1)]
    void claims.take(first.link)
    await clock.advance(1_000)
    void claims.take(second.link)
    await clock.advance(BULK_HELD_MS - 500)
    expect([first.isClosed(), second.isClosed()]).toEqual([true, false])
    await clock.advance(1_000)
    expect(second.isClosed()).toBe(true)
  })
})
