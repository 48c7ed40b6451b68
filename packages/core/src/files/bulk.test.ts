import { describe, expect, it } from 'vitest'
import { content, filesOf, offer, type Pair, stateOf } from '../testing/file-pair.ts'
import { MemoryBulk } from '../testing/memory-bulk.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { MIB, piped } from '../testing/stream-pair.ts'
import { World, type WorldNode } from '../testing/world.ts'

const BYTES = 2_500_000

/** Two messengers that are connected by TCP, and may open raw connections. */
async function wired(holdsRaw: boolean, { transport = 'tcp', bytes = BYTES } = {}): Promise<Pair & { readonly bulk: MemoryBulk }> {
  const world = new World(1)
  const bulk = new MemoryBulk()
  const start = async (name: string): Promise<{ node: WorldNode; readonly disk: MemoryFiles }> => {
    const disk = Object.assign(new MemoryFiles(), { holdsRaw })
    const node: WorldNode = await world.start(name, { files: disk, bulk: (self) => bulk.portOf(self) })
    return { node, disk }
  }
  const [ana, bo] = [await start('ana'), await start('bo')]
  await world.befriend(ana.node, bo.node)
  for (const [one, other] of [[ana, bo] as const, [bo, ana] as const])
    one.node.swarm.paths = () => [{ device: other.node.swarm.self, path: 'direct', transport, rttMs: 1, since: 0 }]
  ana.disk.files.set('a.bin', content(1, bytes))
  return { world, ana, bo, bulk }
}

describe.each([
  ['in the hands of core', false],
  ['in the hands of the platform', true],
])('chunks over a raw connection %s', (_, holdsRaw) => {
  it('[FI26] go there and nowhere else where there is one, and small files do not', async () => {
    const both = await wired(holdsRaw)
    const { world, ana, bo, bulk } = both
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(5_000)
    expect([stateOf(ana, transfer), stateOf(bo, transfer)]).toEqual(['done', 'done'])
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, BYTES))
    expect(bulk.passed).toBe(BYTES + 16 * Math.ceil(BYTES / 262_144) + 16)
    ana.disk.files.set('small', content(2, 100_000))
    await filesOf(bo).accept((await offer(both, ['small'])).id, 'in')
    const before = bulk.passed
    await world.run(5_000)
    expect(bo.disk.files.get('in/small')).toEqual(content(2, 100_000))
    expect(bulk.passed).toBe(before)
  })

  it('[FI26] [FI70] a stream takes one for each time that it has grown by much', async () => {
    const both = await wired(holdsRaw)
    const { world, bo, bulk } = both
    const { pipe, transfer } = await piped(both, { first: 3.5 * MIB, size: 9.5 * MIB })
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(3_000)
    const first = bulk.passed
    expect(first).toBeGreaterThan(3 * MIB)
    for (const bytes of [6.5 * MIB, 9.5 * MIB]) {
      await pipe.grow(bytes, bytes === pipe.all.length)
      await world.run(3_000)
    }
    expect(bo.disk.files.get('in/pipe')).toEqual(pipe.all)
    expect(bulk.passed).toBeGreaterThan(9 * MIB)
    expect(stateOf(bo, transfer)).toBe('done')
  })

  it.each([
    ['changes a bit', (frame: Uint8Array) => frame.with(frame.length - 1, (frame.at(-1) ?? 0) ^ 1)],
    ['leaves frames out', () => new Uint8Array(1)],
    ['repeats an earlier one', (frame: Uint8Array) => new Uint8Array(frame.length)],
    ['breaks it off', () => undefined],
  ])('[FI26] somebody on the wire who %s ends nothing: it goes on over the channel', async (_who, meddle) => {
    const both = await wired(holdsRaw)
    const { world, bo, bulk } = both
    let frames = 0
    bulk.meddle = (frame) => {
      frames += 1
      return frames > 4 ? meddle(frame) : frame
    }
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(60_000)
    expect(stateOf(bo, transfer)).toBe('done')
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, BYTES))
    expect(filesOf(bo).get(transfer.id).moved).toBeLessThan(1.1 * BYTES)
  })

  it('[FI24] [FI26] a transfer that is paused in the middle goes on, and what was there is not sent again', async () => {
    const both = await wired(holdsRaw)
    const { world, bo, bulk } = both
    let frames = 0
    bulk.meddle = (frame) => {
      frames += 1
      if (frames === 5) void filesOf(bo).pause(transfer.id)
      return frame
    }
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(5_000)
    expect(stateOf(bo, transfer)).toBe('paused')
    await filesOf(bo).resume(transfer.id)
    await world.run(60_000)
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, BYTES))
    expect(filesOf(bo).get(transfer.id).moved).toBeLessThan(1.01 * BYTES)
  })

  it('[FI43] what broke off once, after it had worked, is opened again, and the rest comes there', async () => {
    const bytes = 3_500_000
    const both = await wired(holdsRaw, { transport: 'webrtc', bytes })
    const { world, bo, bulk } = both
    let frames = 0
    bulk.meddle = (frame) => {
      frames += 1
      return frames === 4 ? undefined : frame
    }
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(10_000)
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, bytes))
    // Two names, and each chunk once.
    expect(bulk.passed).toBe(bytes + 16 * Math.ceil(bytes / 262_144) + 2 * 16)
  })

  it('[FI42] [FI43] one that takes long to open is not waited for: chunks begin to come on the channel, and then move over', async () => {
    const bytes = 10_000_000
    const both = await wired(holdsRaw, { bytes })
    const { world, ana, bo, bulk } = both
    bulk.beforeOpen = async () => void (await world.clock.sleep(4_000))
    await filesOf(ana).setRate(400_000)
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(3_500)
    expect([bulk.passed, filesOf(bo).get(transfer.id).bytes > 0]).toEqual([0, true])
    await world.run(60_000)
    expect(stateOf(bo, transfer)).toBe('done')
    expect(bulk.passed).toBeGreaterThan(2_000_000)
    // Nothing that was on its way was in vain.
    expect(filesOf(bo).get(transfer.id).moved).toBe(bytes + 16 * Math.ceil(bytes / 262_144))
  })

  it.each([
    ['is there, and moves over', true],
    ['has come to nothing, and is sent ahead again', false],
  ])('[FI13] [FI43] while one is sought little is on its way on the channel, until it %s', async (_how, opens) => {
    const both = await wired(holdsRaw, { bytes: 10_000_000 })
    const { world, ana, bo, bulk } = both
    const window = 1_048_576 + 16
    if (!opens) bulk.refuses = true
    bulk.beforeOpen = async () => void (await world.clock.sleep(4_000))
    await filesOf(bo).setRate(200_000)
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    const onItsWay = () => filesOf(ana).get(transfer.id).moved - filesOf(bo).get(transfer.id).moved
    await world.run(3_500)
    expect(filesOf(bo).get(transfer.id).bytes).toBeGreaterThan(0)
    expect(onItsWay()).toBeLessThanOrEqual(window)
    await world.run(1_500)
    if (opens) expect(bulk.passed).toBeGreaterThan(0)
    else expect(onItsWay()).toBeGreaterThan(2 * window)
    await filesOf(bo).setRate(0)
    await world.run(10_000)
    expect(stateOf(bo, transfer)).toBe('done')
  })

  it('[FI24] [FI26] a full disk pauses it', async () => {
    const both = await wired(holdsRaw)
    const { world, bo, bulk } = both
    let frames = 0
    bulk.meddle = (frame) => {
      frames += 1
      bo.disk.full = frames > 4
      return frame
    }
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(5_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'paused', reason: 'DISK_FULL' })
  })

  it('[FI26] a raw connection whose name never comes is not waited for', async () => {
    const both = await wired(holdsRaw)
    const { world, bo, bulk } = both
    bulk.meddle = () => new Uint8Array(16).fill(9)
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(60_000)
    expect(stateOf(bo, transfer)).toBe('done')
  })
})
