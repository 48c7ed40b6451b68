import { describe, expect, it } from 'vitest'
import type { Transfer } from './index.ts'
import { content, filesOf, offer, stateOf, type WithTablet, until, withTablet } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { encodeFileFrame } from '../wire/files.ts'
import { FILE_PROTOCOL } from './file-link.ts'

const BYTES = 3_000_000
const CHUNKS = Math.ceil(BYTES / 262_144)

/** Another file that one of two devices of the recipient has already. */
async function atBo(all: WithTablet, seed: number) {
  const name = `${seed}.bin`
  all.ana.disk.files.set(name, content(seed, BYTES))
  for (const side of [all.ana, all.bo]) await filesOf(side).setRate(0)
  const transfer = await offer(all, [name])
  await filesOf(all.bo).accept(transfer.id, 'in')
  await until(all.world, () => stateOf(all.bo, transfer) === 'done')
  return transfer
}

/** The other device fetches it. @returns virtual milliseconds that it took */
async function fetched(all: WithTablet, transfer: Transfer, seed: number): Promise<number> {
  const { world, tablet } = all
  const began = world.clock.monotonic()
  await until(world, () => stateOf(tablet, transfer) === 'done', 40_000)
  expect(tablet.disk.files.get(`here/${seed}.bin`)).toEqual(content(seed, BYTES))
  return world.clock.monotonic() - began
}

describe('several sources', () => {
  it('[FI38] a device that has it gives it to another of its account while the sender is away', async () => {
    const all = await withTablet(901)
    const { world, ana, bo, tablet } = all
    ana.disk.files.set('a.bin', content(1, 1_200_000))
    const transfer = await offer(all, ['a.bin'])
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

  it('[FI41] chunks of the large size come from several devices too', async () => {
    const all = await withTablet(913)
    const { world, ana, bo, tablet } = all
    const bytes = new Uint8Array(17_000_000).fill(7)
    ana.disk.files.set('large.bin', bytes)
    const transfer = await offer(all, ['large.bin'])
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => stateOf(bo, transfer) === 'done')
    for (const side of [ana, bo]) await filesOf(side).setRate(4_000_000)
    await filesOf(tablet).accept(transfer.id, 'here')
    await until(world, () => stateOf(tablet, transfer) === 'done', 60_000)
    expect(filesOf(tablet).get(transfer.id).bytes).toBe(bytes.length)
  })

  it('[FI38] what is gone there since comes from the sender when it is back', async () => {
    const all = await withTablet(902)
    const { world, ana, bo, tablet } = all
    ana.disk.files.set('a.bin', content(1, 400_000))
    const transfer = await offer(all, ['a.bin'])
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

  it.each([1_200_000, BYTES])('[FI39] what its sender has no longer comes from the device that has it (%s bytes)', async (bytes) => {
    const all = await withTablet(914)
    const { world, ana, bo, tablet } = all
    ana.disk.files.set('a.bin', content(1, bytes))
    const transfer = await offer(all, ['a.bin'])
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => stateOf(bo, transfer) === 'done' && stateOf(ana, transfer) === 'done')
    ana.disk.files.delete('a.bin')
    world.kill(bo.node)
    await filesOf(tablet).accept(transfer.id, 'here')
    await world.run(20_000)
    expect(filesOf(tablet).get(transfer.id)).toMatchObject({ state: 'waiting', reason: 'elsewhere' })
    bo.node = await world.start('bo', { store: bo.node.store.reopened(), files: bo.disk })
    await until(world, () => stateOf(tablet, transfer) === 'done')
    expect(tablet.disk.files.get('here/a.bin')).toEqual(content(1, bytes))
  })

  it('[FI39] a folder that its sender has no longer is not known any more', async () => {
    const all = await withTablet(915)
    const { world, ana, bo, tablet } = all
    for (const name of ['dir/a', 'dir/b']) ana.disk.files.set(name, content(1, 2_000_000))
    const transfer = await offer(all, ['dir'])
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => stateOf(ana, transfer) === 'done')
    ana.disk.away = 'FILE_UNREADABLE'
    await filesOf(tablet).accept(transfer.id, 'here')
    await until(world, () => stateOf(tablet, transfer) !== 'waiting' && stateOf(tablet, transfer) !== 'running')
    expect(filesOf(tablet).get(transfer.id)).toMatchObject({ state: 'failed', reason: 'TRANSFER_UNKNOWN' })
  })

  it('[FI38] another device of the sender, which knows nothing of it, neither ends it nor is told instead', async () => {
    const all = await withTablet(903)
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

  it('[FI41] [FI42] [FI19] sender and own device serve it at one time; one that has something else under its name costs time alone', async () => {
    const all = await withTablet(905)
    const { ana, bo, tablet } = all
    const first = await atBo(all, 1)
    const sent = filesOf(ana).get(first.id).moved
    for (const side of [ana, bo]) await filesOf(side).setRate(300_000)
    await filesOf(tablet).accept(first.id, 'here')
    // One alone would take 10 s.
    expect(await fetched(all, first, 1)).toBeLessThan(8_500)
    expect(filesOf(tablet).get(first.id).moved).toBe(BYTES + 16 * CHUNKS)
    const share = (filesOf(ana).get(first.id).moved - sent) / BYTES
    expect([share > 0.2, share < 0.8]).toEqual([true, true])
    const second = await atBo(all, 2)
    for (const side of [ana, bo]) await filesOf(side).setRate(1_000_000)
    bo.disk.files.set('in/2.bin', content(9, BYTES))
    await filesOf(tablet).accept(second.id, 'here')
    await fetched(all, second, 2)
    expect(filesOf(tablet).get(second.id).moved).toBeGreaterThan(1.1 * BYTES)
  })

  it('[FI41] a source that is far slower is not waited for, and one that goes away leaves its part to the other', async () => {
    const all = await withTablet(906)
    const { world, ana, bo, tablet } = all
    const first = await atBo(all, 3)
    await filesOf(bo).setRate(1_000_000)
    await filesOf(ana).setRate(20_000)
    await filesOf(tablet).accept(first.id, 'here')
    // The sender alone would take 150 s.
    expect(await fetched(all, first, 3)).toBeLessThan(60_000)
    const second = await atBo(all, 4)
    for (const side of [ana, bo]) await filesOf(side).setRate(500_000)
    await filesOf(tablet).accept(second.id, 'here')
    await until(world, () => filesOf(tablet).get(second.id).bytes > BYTES / 3, 40_000)
    world.kill(ana.node)
    await fetched(all, second, 4)
  })

  it('[FI4] [FI38] a contact with a key of its own choosing gets nothing of what others have sent', async () => {
    const all = await withTablet(904)
    const { world, ana, bo } = all
    const disk = new MemoryFiles()
    const cy = await world.start('cy', { files: disk })
    await world.befriend(cy, bo.node)
    ana.disk.files.set('a.bin', content(1, 100_000))
    const { id } = await offer(all, ['a.bin'])
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
      known: 0,
    } as const
    await opened.channel.send(encodeFileFrame(asked))
    await world.run(1_000)
    const frames = opened.channel.frames()[Symbol.asyncIterator]()
    const { value } = await frames.next()
    expect(new TextDecoder().decode(value as Uint8Array)).toContain('TRANSFER_UNKNOWN')
  })
})
