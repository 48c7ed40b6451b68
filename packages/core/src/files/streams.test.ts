/** What is offered and sent while it still comes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { content, filesOf, offer, type Pair, pair, stateOf, until } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { MIB, piped } from '../testing/stream-pair.ts'
import { decodeManifest } from '../wire/manifest.ts'
import { chunkLength, grownTo, isLast, planOf, sizeSoFar } from './chunk-plan.ts'
import { hexOf } from './hex.ts'
import { LARGE_CHUNK_BYTES, MAX_CONTENT_BYTES } from './limits.ts'
import { TransferBook } from './transfer-book.ts'

const manifest = { name: 'a', mediaType: '', modifiedAt: 0, chunkSize: MIB, key: new Uint8Array(32), root: undefined, folder: undefined }

describe('the plan of a stream', () => {
  it('[FI70] however it comes: it only grows, by whole chunks of 1 MiB, and the last chunk is told of when it is known to be that', () => {
    expect(LARGE_CHUNK_BYTES).toBe(1_048_576)
    const steps = fc.array(fc.integer({ min: 1, max: 3 * MIB }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(steps, (pieces) => {
        let known = { ...manifest, size: 0, stream: 'growing' as const }
        let bytes = 0
        for (const piece of pieces) {
          bytes += piece
          const size = sizeSoFar(bytes)
          if (size > known.size) known = grownTo(known, { size, ended: false }) as typeof known
          const plan = planOf(known)
          expect(known.size).toBeLessThan(bytes)
          expect(bytes - known.size).toBeLessThanOrEqual(MIB)
          for (let index = 0; index < plan.count; index += 1) expect([chunkLength(plan, index), isLast(plan, index)]).toEqual([MIB, false])
        }
        const plan = planOf(grownTo(known, { size: bytes, ended: true }))
        expect(plan.count).toBe(Math.ceil(bytes / MIB))
        expect(isLast(plan, plan.count - 1)).toBe(true)
        expect((plan.count - 1) * MIB + chunkLength(plan, plan.count - 1)).toBe(bytes)
      }),
    )
  })

  const at = (size: number, stream: 'growing' | 'ended' | undefined) => ({ ...manifest, size, stream })
  it.each([
    ['less than before', at(2 * MIB, 'growing'), { size: MIB, ended: false }],
    ['as much as before', at(2 * MIB, 'growing'), { size: 2 * MIB, ended: false }],
    ['an end without anything behind what was no end', at(2 * MIB, 'growing'), { size: 2 * MIB, ended: true }],
    ['parts of chunks', at(MIB, 'growing'), { size: 1.5 * MIB, ended: false }],
    ['more after its end', at(1.5 * MIB, 'ended'), { size: 2 * MIB, ended: false }],
    ['a second end', at(1.5 * MIB, 'ended'), { size: 1.5 * MIB, ended: true }],
    ['that something grows that is no stream', { ...at(MIB, undefined), chunkSize: 262_144 }, { size: 2 * MIB, ended: false }],
  ])('[FI71] its sender cannot say %s', (_what, before, grown) => {
    expect(() => grownTo(before, grown)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })

  it('[FI2] [FI71] a stream ends at 1 TiB at the latest', () => {
    const most = grownTo(at(MIB, 'growing'), { size: MAX_CONTENT_BYTES, ended: false })
    expect(() => grownTo(most, { size: MAX_CONTENT_BYTES + 1, ended: true })).toThrow(expect.objectContaining({ code: 'FILE_TOO_LARGE' }))
  })
})

describe('a stream between two messengers', () => {
  it('[FI70] [FI71] [FI75] is there as far as it has come before it ends, and whole when it has ended', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { pipe, transfer } = await piped(both)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'offered', growing: true, total: MIB })
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(2_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'running', growing: true, bytes: MIB, total: MIB, leftMs: null })
    await pipe.grow(3.2 * MIB)
    await world.run(2_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'running', bytes: 3 * MIB, leftMs: null })
    expect([...bo.disk.files.keys()]).toEqual([])
    await pipe.grow(pipe.all.length, true)
    await world.run(2_000)
    expect(bo.disk.files.get('in/pipe')).toEqual(pipe.all)
    const done = { state: 'done', growing: false, bytes: pipe.all.length, sha256: hexOf(noblePrimitives.sha256(pipe.all)) }
    expect([filesOf(ana).get(transfer.id), filesOf(bo).get(transfer.id)]).toMatchObject([done, done])
    expect(bo.disk.parts.size).toBe(0)
  })

  it('[FI22] [FI75] what stands still is shown as far as it has come within 250 ms, and as standing still within 6 s', async () => {
    const { world, bo, ...both } = await pair()
    const { pipe, transfer } = await piped({ world, bo, ...both })
    await pipe.grow(3.2 * MIB)
    const told = () => bo.node.events.flatMap((event) => (event.kind === 'transfer' ? [event.transfer] : []))
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => filesOf(bo).get(transfer.id).bytes === 3 * MIB)
    await world.run(250)
    expect(told().at(-1)?.bytes).toBe(3 * MIB)
    expect(told().at(-1)?.rate).toBeGreaterThan(0)
    await world.run(6_000)
    expect(told().at(-1)).toMatchObject({ state: 'running', rate: 0 })
    // Then there is nothing to tell.
    const count = told().length
    await world.run(20_000)
    expect(told()).toHaveLength(count)
  })

  it.each([1, 2, 3, 4])(
    '[FI70] seed %d: however it comes, and whatever is cut or killed, only what is missing goes again',
    async (seed) => {
      const both = await pair(seed)
      const { world, bo } = both
      const random = seededRandom(seed)
      // One that ends with a chunk, too.
      const { pipe, transfer } = await piped(both, { size: seed === 1 ? 6 * MIB : (4 + 2 * random.uniform()) * MIB })
      await filesOf(bo).accept(transfer.id, 'in')
      let breaks = 0
      for (let bytes = pipe.bytes; bytes < pipe.all.length; ) {
        bytes += Math.ceil(1.5 * MIB * random.uniform())
        await pipe.grow(bytes, bytes >= pipe.all.length)
        await world.run(500 * random.uniform())
        if (random.uniform() < 0.3) continue
        breaks += 1
        if (random.uniform() < 0.5) world.network.dropLinks(() => true)
        else await restart(both)
      }
      await until(world, () => stateOf(bo, transfer) === 'done')
      expect(bo.disk.files.get('in/pipe')).toEqual(pipe.all)
      expect(filesOf(bo).get(transfer.id).moved).toBeLessThanOrEqual(pipe.all.length + 16 * 8 + breaks * (MIB + 16))
    },
  )

  async function restart({ world, bo }: Pair): Promise<void> {
    world.kill(bo.node)
    bo.node = await world.start('bo', { files: bo.disk, store: bo.node.store.reopened() })
  }

  it('[FI74] goes to several who share its copy, also to one who comes when it has ended', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const disk = new MemoryFiles()
    const cid = { disk, node: await world.start('cid', { files: disk }) }
    await world.befriend(ana.node, cid.node)
    const { pipe, transfer } = await piped(both, { others: [cid] })
    await filesOf(bo).accept(transfer.id, 'in')
    await pipe.grow(3.5 * MIB)
    await world.run(2_000)
    await pipe.grow(pipe.all.length, true)
    await world.run(2_000)
    const [late] = filesOf(cid).list()
    if (late !== undefined) await filesOf(cid).accept(late.id, 'in')
    await until(world, () =>
      filesOf(ana)
        .list()
        .every(({ state }) => state === 'done'),
    )
    expect([bo.disk.files.get('in/pipe'), cid.disk.files.get('in/pipe')]).toEqual([pipe.all, pipe.all])
  })

  it('[FI24] can be paused and goes on, on either side, while it grows', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { pipe, transfer } = await piped(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(1_000)
    for (const side of [ana, bo]) {
      await filesOf(side).pause(transfer.id)
      const { bytes } = filesOf(bo).get(transfer.id)
      await pipe.grow(pipe.bytes + MIB)
      await world.run(2_000)
      expect([stateOf(side, transfer), filesOf(bo).get(transfer.id).bytes]).toEqual(['paused', bytes])
      await filesOf(side).resume(transfer.id)
      await world.run(40_000)
      expect(filesOf(bo).get(transfer.id).bytes).toBeGreaterThan(bytes)
    }
    await pipe.grow(pipe.all.length, true)
    await world.run(2_000)
    expect(bo.disk.files.get('in/pipe')).toEqual(pipe.all)
  })

  it('[FI73] that is broken off has failed on both sides, and nothing of it stays', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { transfer } = await piped(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(2_000)
    await filesOf(ana).streams.breakOff([transfer.id])
    await world.run(5_000)
    const failed = { state: 'failed', reason: 'PIPE_BROKEN', offeredAnew: false }
    expect([filesOf(ana).get(transfer.id), filesOf(bo).get(transfer.id)]).toMatchObject([failed, failed])
    expect([bo.disk.files.size, bo.disk.parts.size]).toEqual([0, 0])
    await expect(filesOf(ana).streams.grow([transfer.id], { bytes: 9 * MIB, ended: true })).rejects.toMatchObject({
      code: 'TRANSFER_UNKNOWN',
    })
  })

  it('[FI73] that still came when the program of its sender was killed has failed on both sides', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { transfer } = await piped(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(2_000)
    world.kill(ana.node)
    await world.run(300)
    ana.node = await world.start('ana', { files: ana.disk, store: ana.node.store.reopened() })
    await until(world, () => stateOf(bo, transfer) === 'failed')
    const failed = { state: 'failed', reason: 'PIPE_BROKEN' }
    expect([filesOf(ana).get(transfer.id), filesOf(bo).get(transfer.id)]).toMatchObject([failed, failed])
    expect(bo.disk.parts.size).toBe(0)
  })

  it('[FI73] whose copy could not be removed when it was broken off, as the program ended, is removed at the next start', async () => {
    const both = await pair()
    const { world, ana } = both
    const { transfer } = await piped(both)
    const gone: string[] = []
    ana.disk.forgetSource = () => Promise.reject(new Error('the program ends'))
    await expect(filesOf(ana).streams.breakOff([transfer.id])).rejects.toThrow('the program ends')
    ana.disk.forgetSource = async (place) => void gone.push(place)
    world.kill(ana.node)
    ana.node = await world.start('ana', { files: ana.disk, store: ana.node.store.reopened() })
    expect([stateOf(ana, transfer), gone]).toEqual(['failed', [JSON.stringify(['pipe'])]])
  })

  it('[FI73] that is broken off where the disk is full is so for everybody it was offered to, and its copy goes', async () => {
    const both = await pair()
    const { world, ana } = both
    const disk = new MemoryFiles()
    const cid = { disk, node: await world.start('cid', { files: disk }) }
    await world.befriend(ana.node, cid.node)
    await piped(both, { others: [cid] })
    const gone: string[] = []
    ana.disk.forgetSource = async (place) => void gone.push(place)
    ana.node.store.full = true
    const all = filesOf(ana).list()
    await expect(filesOf(ana).streams.breakOff(all.map(({ id }) => id))).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect([all.map((each) => stateOf(ana, each)), gone]).toEqual([['failed', 'failed'], [JSON.stringify(['pipe'])]])
  })

  it('[FI73] whose end cannot be kept has not ended: nobody is told that it has', async () => {
    const both = await pair()
    const { ana } = both
    const { pipe, transfer } = await piped(both)
    ana.node.store.full = true
    await expect(pipe.grow(pipe.all.length, true)).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(filesOf(ana).get(transfer.id)).toMatchObject({ state: 'failed', reason: 'PIPE_BROKEN', growing: true })
  })

  it('[FI73] whose copy was removed is broken off, and nobody waits for another of it', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { transfer } = await piped(both)
    ana.disk.files.delete('pipe')
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => stateOf(bo, transfer) === 'failed')
    const failed = { state: 'failed', reason: 'PIPE_BROKEN', offeredAnew: false }
    expect([filesOf(ana).get(transfer.id), filesOf(bo).get(transfer.id)]).toMatchObject([failed, failed])
  })

  it('[FI74] that nobody is to get any more is over for who reads the pipe; one that has ended, too', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { signal } = new AbortController()
    const first = await piped(both)
    const over = filesOf(ana).streams.over([first.transfer.id], signal)
    await filesOf(bo).cancel(first.transfer.id)
    await world.run(2_000)
    await over
    expect(stateOf(ana, first.transfer)).toBe('cancelled')
    const second = await piped(both)
    const ended = filesOf(ana).streams.over([second.transfer.id], signal)
    await second.pipe.grow(second.pipe.all.length, true)
    await ended
    expect(stateOf(ana, second.transfer)).toBe('waiting')
  })

  it.each([
    ['as much as it has come to', 6_000_000, 'done'],
    ['less', 5_000_000, 'offered'],
  ])('[FI72] where %s is accepted without asking, it is not before its end is known', async (_what, maxBytes, state) => {
    const both = await pair()
    const { world, ana, bo } = both
    await filesOf(bo).setAutoAccept(ana.node.messenger.identity.account, { maxBytes, folder: 'auto' })
    const { pipe, transfer } = await piped(both)
    await pipe.grow(4 * MIB)
    await world.run(5_000)
    expect([stateOf(bo, transfer), bo.disk.parts.size]).toEqual(['offered', 0])
    await pipe.grow(pipe.all.length, true)
    await world.run(5_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state, growing: false, total: pipe.all.length })
    expect(bo.disk.files.get('auto/pipe')).toEqual(state === 'done' ? pipe.all : undefined)
  })

  it('[FI72] whose end was told while its recipient was away is known to that when it comes, however it was told', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    await filesOf(bo).setAutoAccept(ana.node.messenger.identity.account, { maxBytes: 6_000_000, folder: 'auto' })
    world.network.partition(ana.node.swarm.self, bo.node.swarm.self, true)
    const { pipe, transfer } = await piped(both)
    await pipe.grow(pipe.all.length, true)
    await restart(both)
    world.network.partition(ana.node.swarm.self, bo.node.swarm.self, false)
    await until(world, () => filesOf(bo).list().length > 0 && stateOf(bo, transfer) === 'done')
    expect(bo.disk.files.get('auto/pipe')).toEqual(pipe.all)
  })

  it('[FI72] that is accepted without asking is so too where the program ends in the moment in which its end is known', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    await filesOf(bo).setAutoAccept(ana.node.messenger.identity.account, { maxBytes: 6_000_000, folder: 'auto' })
    const { pipe, transfer } = await piped(both)
    const { store } = bo.node
    const commit = store.commit.bind(store)
    let hasEnded = false
    store.commit = async (writes) => {
      if (!hasEnded) await commit(writes)
      hasEnded ||= writes.some((write) => write.kind === 'transfer.put' && decodeManifest(write.transfer.manifest).stream === 'ended')
      if (hasEnded) throw new Error('the program has ended')
      return writes.map(() => 'done')
    }
    await pipe.grow(pipe.all.length, true)
    await world.run(2_000)
    await restart(both)
    await until(world, () => stateOf(bo, transfer) === 'done')
    expect(bo.disk.files.get('auto/pipe')).toEqual(pipe.all)
  })

  it('[FI72] whose end could not be told while keys had changed is told when the user has looked at them', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { pipe, transfer } = await piped(both)
    const { account } = bo.node.messenger.identity
    await ana.node.messenger.change(account, { trust: 'changed' })
    await pipe.grow(pipe.all.length, true)
    await world.run(2_000)
    expect(filesOf(bo).get(transfer.id).growing).toBe(true)
    await ana.node.messenger.change(account, { trust: 'unverified' })
    await world.run(2_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'offered', growing: false, total: pipe.all.length })
  })

  it('[FI24] that is paused for a moment runs again, as whoever looks at it sees', async () => {
    const both = await pair()
    const { world, bo } = both
    const { pipe, transfer } = await piped(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => filesOf(bo).get(transfer.id).bytes === MIB)
    await filesOf(bo).pause(transfer.id)
    await filesOf(bo).resume(transfer.id)
    await pipe.grow(3.2 * MIB)
    await until(world, () => filesOf(bo).get(transfer.id).bytes === 3 * MIB)
    expect(stateOf(bo, transfer)).toBe('running')
  })

  it('[FI70] that is forgotten before its end is kept stays so', async () => {
    const both = await pair()
    const { store } = both.ana.node
    const { pipe, transfer } = await piped(both)
    const book = new TransferBook({ store, clock: both.world.clock, onTransfer: () => undefined })
    await book.load(new AbortController().signal)
    const live = book.require(transfer.id)
    await book.remove(live)
    await book.grow(live, grownTo(live.manifest, { size: pipe.all.length, ended: true }))
    expect(await store.transfers()).toEqual([])
  })

  it('[FI22] that stand still for 60 s keep no file waiting, and go on as more comes', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const idle: Awaited<ReturnType<typeof piped>>[] = []
    for (const folder of ['1', '2', '3']) {
      const one = await piped(both)
      await filesOf(bo).accept(one.transfer.id, folder)
      idle.push(one)
    }
    await world.run(2_000)
    ana.disk.files.set('a.bin', content(1, 300_000))
    const file = await offer(both)
    await filesOf(bo).accept(file.id, 'in')
    await world.run(45_000)
    expect(filesOf(bo).get(file.id)).toMatchObject({ state: 'waiting', queue: 1 })
    await world.run(30_000)
    expect(stateOf(bo, file)).toBe('done')
    for (const { pipe, transfer } of idle) {
      expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'waiting', reason: 'silent', bytes: MIB })
      await pipe.grow(pipe.all.length, true)
    }
    await until(world, () => idle.every(({ transfer }) => stateOf(bo, transfer) === 'done'))
  })

  it('[FI4] [FI72] to who is blocked nothing is said of its end; it is when they are no longer, and goes on', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { pipe, transfer } = await piped(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(2_000)
    const { account } = bo.node.messenger.identity
    await ana.node.messenger.change(account, { blocked: true })
    await pipe.grow(pipe.all.length, true)
    await world.run(5_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'waiting', growing: true, total: MIB })
    await ana.node.messenger.change(account, { blocked: false })
    await until(world, () => stateOf(bo, transfer) === 'done')
    expect(bo.disk.files.get('in/pipe')).toEqual(pipe.all)
  })
})
