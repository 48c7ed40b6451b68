import { describe, expect, it } from 'vitest'
import { sendControl } from '../main-path/index.ts'
import { MAX_NEIGHBOURS } from '../mesh/service/places.ts'
import { MemoryArchive, memoryLink } from '../testing/mesh-lab.ts'
import { World, type WorldNode } from '../testing/world.ts'

const DAY_MS = 86_400_000

/** Contacts who have met, and strangers between them; nobody reaches anybody but by the mesh. */
async function line(seed: number, between: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode; all: readonly WorldNode[] }> {
  const world = new World(seed)
  const start = (name: string): Promise<WorldNode> => world.start(name, { meshArchive: new MemoryArchive() })
  const [ana, bo] = [await start('ana'), await start('bo')]
  await world.befriend(ana, bo)
  world.network.partition(deviceOf(ana), deviceOf(bo), true)
  const strangers: WorldNode[] = []
  for (let number = 0; number < between; number += 1) strangers.push(await start(`stranger ${number}`))
  return { world, ana, bo, all: [ana, ...strangers, bo] }
}

const deviceOf = ({ messenger }: WorldNode) => messenger.identity.device

function connect(a: WorldNode | undefined, b: WorldNode | undefined): () => void {
  if (a === undefined || b === undefined) throw new RangeError('there is no such node')
  const [left, right] = memoryLink()
  void a.messenger.mesh?.attach(deviceOf(b), left)
  void b.messenger.mesh?.attach(deviceOf(a), right)
  return () => left.close()
}

const texts = async (world: World, at: WorldNode, from: WorldNode) => (await world.history(at, from)).map(({ text }) => text)
const states = async (world: World, at: WorldNode, to: WorldNode) => (await world.history(at, to)).map(({ state }) => state)

describe('messages by the mesh', () => {
  it('[DL11] [ME12] go over strangers to who cannot be reached, once, and are delivered when the proof is back', async () => {
    const { world, ana, bo, all } = await line(50, 5)
    for (let at = 1; at < all.length; at += 1) connect(all[at - 1], all[at])
    await world.send(ana, bo, 'hello')
    await world.run(10_000)
    expect(await texts(world, bo, ana)).toEqual(['hello'])
    expect(await states(world, ana, bo)).toEqual(['delivered'])
    expect(await ana.messenger.deliveries.outbox()).toEqual([])
    await world.send(bo, ana, 'and back')
    await world.run(10_000)
    expect(await texts(world, ana, bo)).toContain('and back')
    for (const { logger } of all) expect(JSON.stringify(logger)).not.toContain('hello')
  })

  it('[DL3] say that there is no path where those who are near cannot be given them', async () => {
    const { world, ana, bo, all } = await line(58, 1)
    connect(ana, all[1])
    // So long that no delivery tag of his is known any more.
    world.clock.jump(41 * DAY_MS)
    await world.send(ana, bo, 'anybody there?')
    await world.run(20_000)
    const held = (await ana.messenger.deliveries.outbox()).map(({ hold }) => hold)
    expect(held).toEqual(['no-path'])
  })

  it('[DL11] [ME20] are carried by somebody who meets one after the other', async () => {
    const { world, ana, bo, all } = await line(51, 1)
    const [, mule] = all
    const part = connect(ana, mule)
    await world.send(ana, bo, 'by hand')
    await world.run(20_000)
    expect(await states(world, ana, bo)).toEqual(['carried'])
    part()
    connect(mule, bo)
    await world.run(5_000)
    expect(await texts(world, bo, ana)).toEqual(['by hand'])
    connect(mule, ana)
    await world.run(5_000)
    expect(await states(world, ana, bo)).toEqual(['delivered'])
  })

  it('[DL10] what arrives by a stream while it is carried is shown once, and carried no more', async () => {
    const { world, ana, bo, all } = await line(52, 1)
    const [, mule] = all
    connect(ana, mule)
    await world.send(ana, bo, 'either way')
    await world.run(20_000)
    world.network.partition(deviceOf(ana), deviceOf(bo), false)
    await world.run(200_000)
    expect(await states(world, ana, bo)).toEqual(['delivered'])
    expect(mule?.messenger.mesh?.status().bundles).toEqual([])
    connect(mule, bo)
    await world.run(20_000)
    expect(await texts(world, bo, ana)).toEqual(['either way'])
  })

  it('[DL22] what programs tell each other is not swallowed by a neighbour that says it has taken it', async () => {
    const { world, ana, bo, all } = await line(57, 1)
    const [, mule] = all
    const known = ana.messenger.book.device(deviceOf(bo))
    const path = ana.messenger['mainPath']
    if (known === undefined || path === undefined) throw new Error('not in contact')
    connect(ana, mule)
    const waiting = async () => (await ana.store.outbox(deviceOf(bo), 0, 9)).map(({ carriers }) => carriers)
    await sendControl(path, known, { control: { kind: 'proofs', allowed: true } })
    await world.run(20_000)
    expect(await waiting()).toEqual([['mesh']])
    connect(mule, bo)
    await world.run(20_000)
    expect(await waiting()).toEqual([])
  })

  it('[DL17] what is taken back is carried no more', async () => {
    const { world, ana, bo, all } = await line(53, 1)
    const [, mule] = all
    connect(ana, mule)
    const { id } = await world.send(ana, bo, 'never mind')
    await world.run(20_000)
    await ana.messenger.deliveries.cancel(id)
    await world.run(5_000)
    connect(mule, bo)
    await world.run(10_000)
    expect(await texts(world, bo, ana)).toEqual([])
  })

  it('[ME20] what nobody received in three days goes again, under a tag of the day', async () => {
    const { world, ana, bo, all } = await line(54, 1)
    const [, mule] = all
    const part = connect(ana, mule)
    await world.send(ana, bo, 'at last')
    await world.run(20_000)
    expect(await states(world, ana, bo)).toEqual(['carried'])
    part()
    world.clock.jump(3 * DAY_MS + 3_600_000)
    // Everybody learns the tags of the day within five minutes.
    await world.run(310_000)
    connect(ana, mule)
    connect(mule, bo)
    await world.run(20_000)
    expect(await texts(world, bo, ana)).toEqual(['at last'])
    expect(await states(world, ana, bo)).toEqual(['delivered'])
  })

  it('[ME21] what is carried goes again when the file of the mesh was deleted', async () => {
    const { world, ana, bo, all } = await line(55, 1)
    const [, mule] = all
    connect(ana, mule)
    await world.send(ana, bo, 'once more')
    await world.run(20_000)
    for (const node of [ana, mule]) if (node !== undefined) world.kill(node)
    const again = await world.start('ana', { store: ana.store.reopened(), meshArchive: new MemoryArchive() })
    world.network.partition(deviceOf(again), deviceOf(bo), true)
    await world.run(5_000)
    connect(again, bo)
    await world.run(20_000)
    expect(await texts(world, bo, ana)).toEqual(['once more'])
  })

  it('[ME25] whoever is alone packs what waits there, for somebody else to carry', async () => {
    const { world, ana, bo } = await line(56, 0)
    await world.send(ana, bo, 'by stick')
    await world.run(5_000)
    const { transfers = [] } = (await ana.messenger.mesh?.packing.pack()) ?? {}
    expect(transfers).toHaveLength(1)
    expect(await bo.messenger.mesh?.packing.unpack(transfers)).toMatchObject({ taken: 1 })
    await world.run(1_000)
    expect(await texts(world, bo, ana)).toEqual(['by stick'])
    expect(await states(world, ana, bo)).toEqual(['queued'])
    expect((await ana.messenger.mesh?.packing.pack())?.transfers).toHaveLength(1)
  })

  it('[ME44] who merely asks for contact, or is blocked, takes no place from a contact', async () => {
    const world = new World(59)
    const ana = await world.start('ana', { meshArchive: new MemoryArchive() })
    const [asker, foe, friend, other] = [
      await world.start('asker'),
      await world.start('foe'),
      await world.start('friend'),
      await world.start('other'),
    ]
    for (const node of [foe, friend, other]) await world.befriend(ana, node)
    const asking = asker.messenger.ask(deviceOf(ana))
    await world.run(2_000)
    await asking
    await ana.messenger.change(foe.messenger.identity.account, { blocked: true })
    const { mesh } = ana.messenger
    const near = (peer: string) => mesh?.hasNeighbour(peer)
    for (const node of [asker, foe]) void mesh?.attach(deviceOf(node), memoryLink()[0])
    await world.run(1_000)
    for (let number = 0; number < MAX_NEIGHBOURS - 2; number += 1) void mesh?.attach(`stranger ${number}`, memoryLink()[0])
    await world.run(1_000)
    expect([asker, foe].map((node) => near(deviceOf(node)))).toEqual([true, true])
    for (const node of [friend, other]) {
      void mesh?.attach(deviceOf(node), memoryLink()[0])
      await world.run(1_000)
    }
    expect([friend, other, asker, foe].map((node) => near(deviceOf(node)))).toEqual([true, true, false, false])
  })

  it('[DL11] all that waits for a device goes by the mesh, however much it is', async () => {
    const { world, ana, bo, all } = await line(57, 1)
    const [, mule] = all
    for (let number = 0; number < 260; number += 1) await world.send(ana, bo, `${number}`)
    await world.run(5_000)
    connect(ana, mule)
    connect(mule, bo)
    await world.run(30_000)
    expect(new Set(await texts(world, bo, ana)).size).toBe(260)
  })
})
