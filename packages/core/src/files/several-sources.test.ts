import { describe, expect, it } from 'vitest'
import { content, filesOf, type Side, stateOf, until } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { World } from '../testing/world.ts'
import { encodeFileFrame } from '../wire/files.ts'
import { FILE_PROTOCOL } from './file-link.ts'

interface Scene {
  readonly world: World
  /** Who sends. */
  readonly ana: Side
  /** Two devices of one account. */
  readonly bo: Side
  readonly tablet: Side
}

async function scene(seed: number): Promise<Scene> {
  const world = new World(seed)
  const start = async (name: string): Promise<Side> => {
    const disk = new MemoryFiles()
    return { disk, node: await world.start(name, { files: disk }) }
  }
  const [ana, bo, tablet] = [await start('ana'), await start('bo'), await start('tablet')]
  tablet.node = await world.link(bo.node, tablet.node, () => ({ store: tablet.node.store.reopened(), files: tablet.disk }))
  await world.befriend(ana.node, bo.node)
  await world.run(5_000)
  return { world, ana, bo, tablet }
}

async function offered({ world, ana, bo }: Scene, ...paths: readonly string[]) {
  const sending = filesOf(ana).send([world.contactOf(ana.node, bo.node)], paths)
  await world.run(3_000)
  const [transfer] = await sending
  if (transfer === undefined) throw new Error('nothing was offered')
  return transfer
}

const BYTES = 5_000_000
const CHUNKS = Math.ceil(BYTES / 262_144)

/** A file that one of two devices of the recipient has already. */
async function atBo(seed: number) {
  const all = await scene(seed)
  all.ana.disk.files.set('a.bin', content(1, BYTES))
  const transfer = await offered(all, 'a.bin')
  await filesOf(all.bo).accept(transfer.id, 'in')
  await until(all.world, () => stateOf(all.bo, transfer) === 'done')
  return { ...all, transfer }
}

describe('several sources', () => {
  it('[FI38] a device that has it gives it to another of its account while the sender is away', async () => {
    const all = await scene(901)
    const { world, ana, bo, tablet } = all
    ana.disk.files.set('a.bin', content(1, 1_200_000))
    const transfer = await offered(all, 'a.bin')
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(5_000)
    expect(stateOf(bo, transfer)).toBe('done')
    const moved = filesOf(bo).get(transfer.id).moved
    world.kill(ana.node)
    await filesOf(tablet).accept(transfer.id, 'here')
    await world.run(20_000)
    expect([stateOf(tablet, transfer), tablet.disk.files.get('here/a.bin')]).toEqual(['done', content(1, 1_200_000)])
    // It counts as sent nowhere, and nothing of it is kept otherwise.
    expect([filesOf(bo).get(transfer.id).moved, filesOf(bo).get(transfer.id).state]).toEqual([moved, 'done'])
  })

  it('[FI38] what is gone there since comes from the sender when it is back', async () => {
    const all = await scene(902)
    const { world, ana, bo, tablet } = all
    ana.disk.files.set('a.bin', content(1, 400_000))
    const transfer = await offered(all, 'a.bin')
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(5_000)
    bo.disk.files.delete('in/a.bin')
    world.kill(ana.node)
    await filesOf(tablet).accept(transfer.id, 'here')
    await world.run(20_000)
    expect([stateOf(tablet, transfer), tablet.disk.files.size]).toEqual(['waiting', 0])
    ana.node = await world.start('ana', { store: ana.node.store.reopened(), files: ana.disk })
    await world.run(60_000)
    expect(stateOf(tablet, transfer)).toBe('done')
  })

  it('[FI38] another device of the sender, which knows nothing of it, neither ends it nor is told instead', async () => {
    const all = await scene(903)
    const { world, ana, bo, tablet } = all
    tablet.disk.files.set('b.bin', content(2, 1_000_000))
    const sending = filesOf(tablet).send([world.contactOf(tablet.node, ana.node)], ['b.bin'])
    await world.run(3_000)
    const [transfer] = await sending
    if (transfer === undefined) throw new Error('nothing was offered')
    world.kill(tablet.node)
    await filesOf(ana).accept(transfer.id, 'in')
    await world.run(20_000)
    expect([stateOf(ana, transfer), filesOf(bo).list()]).toEqual(['waiting', []])
    tablet.node = await world.start('tablet', { store: tablet.node.store.reopened(), files: tablet.disk })
    await world.run(60_000)
    expect([stateOf(ana, transfer), stateOf(tablet, transfer)]).toEqual(['done', 'done'])
  })

  it('[FI41] [FI42] sender and own device serve it at one time, each chunk once', async () => {
    const all = await atBo(905)
    const { world, ana, bo, tablet, transfer } = all
    for (const side of [ana, bo]) await filesOf(side).setRate(500_000)
    const sent = filesOf(ana).get(transfer.id).moved
    await filesOf(tablet).accept(transfer.id, 'here')
    const began = world.clock.monotonic()
    await until(world, () => stateOf(tablet, transfer) === 'done', 40_000)
    expect(tablet.disk.files.get('here/a.bin')).toEqual(content(1, BYTES))
    expect(filesOf(tablet).get(transfer.id).moved).toBe(BYTES + 16 * CHUNKS)
    const share = (filesOf(ana).get(transfer.id).moved - sent) / BYTES
    expect([share > 0.3, share < 0.7]).toEqual([true, true])
    expect(world.clock.monotonic() - began).toBeLessThan(0.75 * (BYTES / 500))
  })

  it('[FI41] a source that is far slower is not waited for', async () => {
    const all = await atBo(906)
    const { world, ana, bo, tablet, transfer } = all
    await filesOf(bo).setRate(1_000_000)
    await filesOf(ana).setRate(20_000)
    await filesOf(tablet).accept(transfer.id, 'here')
    const began = world.clock.monotonic()
    await until(world, () => stateOf(tablet, transfer) === 'done', 40_000)
    expect(tablet.disk.files.get('here/a.bin')).toEqual(content(1, BYTES))
    // The sender alone would have taken 300 s, half of it 150.
    expect(world.clock.monotonic() - began).toBeLessThan(60_000)
  })

  it('[FI19] [FI41] a source that has something else under its name costs time, and the file is right', async () => {
    const all = await atBo(907)
    const { world, ana, bo, tablet, transfer } = all
    for (const side of [ana, bo]) await filesOf(side).setRate(2_000_000)
    bo.disk.files.set('in/a.bin', content(2, BYTES))
    await filesOf(tablet).accept(transfer.id, 'here')
    await until(world, () => stateOf(tablet, transfer) === 'done', 40_000)
    expect([...tablet.disk.files.keys()]).toEqual(['here/a.bin'])
    expect(tablet.disk.files.get('here/a.bin')).toEqual(content(1, BYTES))
  })

  it('[FI41] a source that goes away leaves its part to the other', async () => {
    const all = await atBo(908)
    const { world, ana, bo, tablet, transfer } = all
    for (const side of [ana, bo]) await filesOf(side).setRate(1_000_000)
    await filesOf(tablet).accept(transfer.id, 'here')
    await until(world, () => filesOf(tablet).get(transfer.id).bytes > BYTES / 3, 40_000)
    world.kill(ana.node)
    await until(world, () => stateOf(tablet, transfer) === 'done', 40_000)
    expect(tablet.disk.files.get('here/a.bin')).toEqual(content(1, BYTES))
  })

  it('[FI4] [FI38] a contact with a key of its own choosing gets nothing of what others have sent', async () => {
    const all = await scene(904)
    const { world, ana, bo } = all
    const disk = new MemoryFiles()
    const cy = await world.start('cy', { files: disk })
    await world.befriend(cy, bo.node)
    ana.disk.files.set('a.bin', content(1, 100_000))
    const { id } = await offered(all, 'a.bin')
    await filesOf(bo).accept(id, 'in')
    await world.run(5_000)
    const opened = await cy.swarm.open(bo.node.messenger.identity.device, FILE_PROTOCOL)
    if (opened.kind !== 'open') throw new Error('no link')
    const asked = {
      kind: 'request',
      id,
      part: 'content',
      missing: [[0, 1]],
      window: 1e6,
      bulk: new Uint8Array(),
      key: new Uint8Array(32),
      partial: false,
    } as const
    await opened.channel.send(encodeFileFrame(asked))
    await world.run(1_000)
    const frames = opened.channel.frames()[Symbol.asyncIterator]()
    const { value } = await frames.next()
    expect(new TextDecoder().decode(value as Uint8Array)).toContain('TRANSFER_UNKNOWN')
  })
})
