import { describe, expect, it } from 'vitest'
import { MemoryArchive, memoryLink } from '../testing/mesh-lab.ts'
import { content, filesOf, type Side, stateOf } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { MIB, piped } from '../testing/stream-pair.ts'
import { World, type WorldNode } from '../testing/world.ts'
import type { MessageId } from '../ids.ts'

interface Scene {
  readonly world: World
  readonly ana: Side
  readonly bo: Side
  /** From ana to bo. */
  readonly all: readonly WorldNode[]
}

/** Contacts who have met, and strangers between them; nobody reaches anybody but by the mesh. */
async function scene(seed: number, between: number): Promise<Scene> {
  const world = new World(seed)
  const start = async (name: string): Promise<Side> => {
    const disk = new MemoryFiles()
    return { disk, node: await world.start(name, { files: disk, meshArchive: new MemoryArchive() }) }
  }
  const [ana, bo] = [await start('ana'), await start('bo')]
  await world.befriend(ana.node, bo.node)
  world.network.partition(deviceOf(ana.node), deviceOf(bo.node), true)
  const strangers: WorldNode[] = []
  for (let number = 0; number < between; number += 1) strangers.push((await start(`stranger ${number}`)).node)
  const { account } = world.contactOf(bo.node, ana.node)
  await filesOf(bo).setAutoAccept(account, { maxBytes: 1e9, folder: 'in' })
  return { world, ana, bo, all: [ana.node, ...strangers, bo.node] }
}

const deviceOf = ({ messenger }: WorldNode) => messenger.identity.device

function connect(a: WorldNode | undefined, b: WorldNode | undefined): () => void {
  if (a === undefined || b === undefined) throw new RangeError('there is no such node')
  const [left, right] = memoryLink()
  void a.messenger.mesh?.attach(deviceOf(b), left)
  void b.messenger.mesh?.attach(deviceOf(a), right)
  return () => left.close()
}

async function offer({ world, ana, bo }: Scene, path = 'a.bin'): Promise<MessageId> {
  const sending = filesOf(ana).send([world.contactOf(ana.node, bo.node)], [path])
  await world.run(500)
  const [transfer] = await sending
  if (transfer === undefined) throw new Error('nothing was offered')
  return transfer.id
}

/** More than goes by mail. */
const SIZE = 1_300_000

/** Runs until bo has something, at most so many seconds. */
async function until({ world }: Scene, holds: () => boolean, seconds = 120): Promise<void> {
  for (let tenth = 0; tenth < seconds * 10 && !holds(); tenth += 1) await world.run(100)
  expect(holds()).toBe(true)
}

const connectAll = ({ all }: Scene): (() => void)[] => all.slice(1).map((node, at) => connect(all[at], node))
const movedBy = (side: Side, id: MessageId): number => filesOf(side).get(id).moved
const arrived = ({ bo }: Scene): number => filesOf(bo).list()[0]?.bytes ?? 0
const chunksAt = (node: WorldNode | undefined): number =>
  node?.messenger.mesh?.status().bundles.filter(({ priority }) => priority === 0).length ?? 0

describe('files by the mesh', () => {
  it('[ME27] [ME29] [ME30] a file goes over four hops of strangers to who is reached by the mesh alone, and its sender learns of it', async () => {
    const all = await scene(901, 3)
    connectAll(all)
    all.ana.disk.files.set('a.bin', content(1, SIZE))
    const id = await offer(all)
    await until(all, () => stateOf(all.ana, { id }) === 'done')
    expect(all.bo.disk.files.get('in/a.bin')).toEqual(content(1, SIZE))
    expect(stateOf(all.bo, { id })).toBe('done')
    expect(movedBy(all.ana, id)).toBeLessThan(SIZE * 1.01)
    for (const node of all.all) expect(node.messenger.mesh?.status().bundles).toEqual([])
  })

  it('[FI72] what was offered while it still came goes by the mesh once it has ended', async () => {
    const all = await scene(908, 1)
    connectAll(all)
    const { pipe, transfer } = await piped(all, { size: 1.7 * MIB })
    await all.world.run(20_000)
    expect([stateOf(all.bo, transfer), movedBy(all.ana, transfer.id)]).toEqual(['offered', 0])
    await pipe.grow(pipe.all.length, true)
    await until(all, () => stateOf(all.ana, transfer) === 'done')
    expect(all.bo.disk.files.get('in/pipe')).toEqual(pipe.all)
  })

  it('[ME29] nothing comes before the user says yes, and nothing after a pause', async () => {
    const all = await scene(903, 1)
    await filesOf(all.bo).setAutoAccept(all.world.contactOf(all.bo.node, all.ana.node).account, null)
    connectAll(all)
    all.ana.disk.files.set('a.bin', content(1, SIZE))
    const id = await offer(all)
    await all.world.run(60_000)
    expect([stateOf(all.bo, { id }), movedBy(all.ana, id)]).toEqual(['offered', 0])
    await filesOf(all.ana).pause(id)
    await filesOf(all.bo).accept(id, 'in')
    await all.world.run(5_000)
    expect(movedBy(all.ana, id)).toBe(0)
    await filesOf(all.ana).resume(id)
    await until(all, () => stateOf(all.bo, { id }) === 'done')
  })

  it('[ME29] [ME30] when the way breaks and comes back, only what is missing is sent again', async () => {
    const all = await scene(904, 2)
    const cut = connectAll(all)
    all.ana.disk.files.set('a.bin', content(1, 2 * SIZE))
    const sending = filesOf(all.ana).send([all.world.contactOf(all.ana.node, all.bo.node)], ['a.bin'])
    for (let step = 0; step < 2_000 && arrived(all) < 300_000; step += 1) await all.world.run(2)
    const id = (await sending)[0]?.id ?? ('' as MessageId)
    cut[1]?.()
    await all.world.run(20_000)
    expect(stateOf(all.bo, { id })).not.toBe('done')
    connect(all.all[1], all.all[2])
    await until(all, () => stateOf(all.bo, { id }) === 'done', 700)
    expect(all.bo.disk.files.get('in/a.bin')).toEqual(content(1, 2 * SIZE))
    // What was on its way when it broke: a window of it at most.
    expect(movedBy(all.ana, id)).toBeLessThan(2 * SIZE + 13 * 262_500)
  })

  it('[ME28] [ME30] where no way stands a courier carries words and parts to and fro, of a folder with its list too', async () => {
    const all = await scene(905, 1)
    const [ana, mule, bo] = all.all
    for (const name of ['one', 'two']) all.ana.disk.files.set(`top/${name}`, content(name.length + SIZE, SIZE / 2))
    let part = connect(ana, mule)
    const id = await offer(all, 'top')
    const seen: number[] = []
    for (let trip = 0; trip < 12 && stateOf(all.ana, { id }) !== 'done'; trip += 1) {
      await all.world.run(30_000)
      seen.push(chunksAt(mule))
      part()
      part = connect(mule, trip % 2 === 0 ? bo : ana)
    }
    await all.world.run(5_000)
    // The list, then the content.
    expect(seen.filter((count) => count > 0)).toEqual([1, Math.ceil(SIZE / 262_144)])
    for (const name of ['one', 'two']) expect(all.bo.disk.files.get(`in/top/${name}`)).toEqual(content(name.length + SIZE, SIZE / 2))
    expect([stateOf(all.ana, { id }), stateOf(all.bo, { id }), chunksAt(mule), chunksAt(ana)]).toEqual(['done', 'done', 0, 0])
  })

  it('[ME29] the list of a folder that a courier has brought is not asked for again after a restart', async () => {
    const all = await scene(907, 1)
    const [ana, mule] = all.all
    for (const name of ['one', 'two']) all.ana.disk.files.set(`top/${name}`, content(name.length + SIZE, SIZE / 2))
    let part = connect(ana, mule)
    const id = await offer(all, 'top')
    const seen: number[] = []
    let restarts = 0
    for (let trip = 0; trip < 12 && stateOf(all.ana, { id }) !== 'done'; trip += 1) {
      await all.world.run(30_000)
      seen.push(chunksAt(mule))
      part()
      if (all.bo.disk.lists.size === 1 && restarts === 0) {
        restarts += 1
        all.world.kill(all.bo.node)
        const again = { store: all.bo.node.store.reopened(), files: all.bo.disk, meshArchive: new MemoryArchive() }
        all.bo.node = await all.world.start('bo', again)
      }
      part = connect(mule, trip % 2 === 0 ? all.bo.node : ana)
    }
    expect(restarts).toBe(1)
    expect(seen.filter((count) => count > 0)).toEqual([1, Math.ceil(SIZE / 262_144)])
    expect([stateOf(all.bo, { id }), all.bo.disk.lists.size]).toEqual(['done', 0])
  })

  it('[ME30] who can be reached again gets the rest the direct way', async () => {
    const all = await scene(906, 1)
    const cut = connectAll(all)
    all.ana.disk.files.set('a.bin', content(1, 2 * SIZE))
    const sending = filesOf(all.ana).send([all.world.contactOf(all.ana.node, all.bo.node)], ['a.bin'])
    for (let step = 0; step < 2_000 && arrived(all) < 300_000; step += 1) await all.world.run(2)
    const id = (await sending)[0]?.id ?? ('' as MessageId)
    for (const end of cut) end()
    all.world.network.partition(deviceOf(all.ana.node), deviceOf(all.bo.node), false)
    await until(all, () => stateOf(all.ana, { id }) === 'done', 400)
    expect(all.bo.disk.files.get('in/a.bin')).toEqual(content(1, 2 * SIZE))
    expect(movedBy(all.bo, id)).toBeLessThan(2 * SIZE * 1.1)
  })
})
