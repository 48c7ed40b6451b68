import { describe, expect, it } from 'vitest'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { messageIdFromBytes } from '../ids.ts'
import type { Channel } from '../ports/swarm.ts'
import { content, filesOf, offer, type Pair, pair, stateOf, underWay, until } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import type { World, WorldNode } from '../testing/world.ts'
import { decodeFileFrame, encodeFileFrame, type FileFrame } from '../wire/files.ts'
import { decodeManifest } from '../wire/manifest.ts'
import { FILE_PROTOCOL } from './file-link.ts'
import { hexOf } from './hex.ts'
import type { Transfer } from './index.ts'
import { WINDOW_BYTES } from './limits.ts'

describe('files between two messengers', () => {
  it('[FI36] a thumbnail is there before the file, and after it; a folder has none', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.jpg', content(1, 1_000))
    ana.disk.files.set('top/b.jpg', content(2, 1_000))
    const contact = world.contactOf(ana.node, bo.node)
    const thumbnail = content(3, 3_000)
    const sent = [await filesOf(ana).send([contact], ['a.jpg'], thumbnail), await filesOf(ana).send([contact], ['top'], thumbnail)].flat()
    await world.run(1_000)
    const seen = (): (Uint8Array | undefined)[] => sent.map(({ id }) => filesOf(bo).thumbnail(id))
    expect(seen()).toEqual([thumbnail, undefined])
    for (const { id } of sent) await filesOf(bo).accept(id, 'in')
    await world.run(5_000)
    expect([sent.map((each) => stateOf(bo, each)), seen()]).toEqual([
      ['done', 'done'],
      [thumbnail, undefined],
    ])
  })

  it('[FI1] [FI19] [FI20] [FI27] a file is offered, fetched when the user says so, and whole; both know its hash', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const bytes = content(1, 700_000)
    ana.disk.files.set('a.bin', bytes)
    const transfer = await offer(both)
    await world.run(60_000)
    expect([stateOf(ana, transfer), stateOf(bo, transfer)]).toEqual(['waiting', 'offered'])
    expect(bo.disk.parts.size).toBe(0)
    expect((await world.history(bo.node, ana.node)).at(-1)).toMatchObject({ kind: 'file', text: 'a.bin', id: transfer.id })
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(5_000)
    expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
    const done = { state: 'done', bytes: bytes.length, sha256: hexOf(noblePrimitives.sha256(bytes)), reason: null }
    expect(filesOf(ana).get(transfer.id)).toMatchObject(done)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ ...done, path: 'in/a.bin' })
    expect(bo.disk.parts.size).toBe(0)
    const kept = await bo.node.store.transfer(transfer.id, 'in')
    expect(decodeManifest(kept?.manifest ?? new Uint8Array()).key).toEqual(new Uint8Array(32))
  })

  it('[FI3] [FI16] empty files, folders of many, and names that are taken', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('empty', new Uint8Array())
    for (let number = 0; number < 200; number += 1) ana.disk.files.set(`dir/f${number}`, content(number + 1, number * 7))
    bo.disk.files.set('in/empty', Uint8Array.of(1))
    const offers = [await offer(both, ['empty']), await offer(both, ['dir'])]
    for (const { id } of offers) await filesOf(bo).accept(id, 'in')
    await world.run(5_000)
    expect(offers.map((each) => stateOf(bo, each))).toEqual(['done', 'done'])
    expect(bo.disk.files.get('in/empty')).toEqual(Uint8Array.of(1))
    expect(bo.disk.files.get('in/empty (2)')).toEqual(new Uint8Array())
    for (let number = 0; number < 200; number += 1) expect(bo.disk.files.get(`in/dir/f${number}`)).toEqual(content(number + 1, number * 7))
  })

  it.each([1, 2, 3, 4])('[FI15] [FI18] seed %d: cut links and kills of either side cost a window each at most', async (seed) => {
    const both = await pair(seed)
    const { world, ana, bo } = both
    const random = seededRandom(seed)
    const bytes = content(seed, 1_600_000)
    ana.disk.files.set('a.bin', bytes)
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    let breaks = 0
    for (; breaks < 5; breaks += 1) {
      const goal = bytes.length * random.uniform()
      const isFar = (): boolean => filesOf(bo).get(transfer.id).moved >= goal || stateOf(bo, transfer) === 'done'
      await until(world, isFar)
      await breakOff(both, random.uniform())
    }
    await until(world, () => stateOf(bo, transfer) === 'done' && stateOf(ana, transfer) === 'done')
    expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
    expect(filesOf(bo).get(transfer.id).moved).toBeLessThanOrEqual(1.05 * bytes.length + breaks * WINDOW_BYTES)
    // Nothing that was written is fetched again.
    expect(filesOf(bo).get(transfer.id).moved).toBeLessThanOrEqual(bytes.length + 12 * 16 + breaks * 262_160)
  })

  async function breakOff({ world, ana, bo }: Pair, choice: number): Promise<void> {
    if (choice < 0.4) return world.network.dropLinks(() => true)
    const side = choice < 0.7 ? ana : bo
    world.kill(side.node)
    await world.run(300)
    side.node = await world.start(side === ana ? 'ana' : 'bo', { files: side.disk, store: side.node.store.reopened() })
  }

  it('[FI4] nobody but the contact to whom it was offered may fetch', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_000))
    const transfer = await offer(both)
    const cid = await world.start('cid', { files: new MemoryFiles() })
    await world.befriend(ana.node, cid)
    const asked = await ask(world, { from: cid, to: ana.node, id: transfer.id, window: 10_000 })
    expect(asked.frames).toMatchObject([{ kind: 'outcome', state: 'failed', code: 'TRANSFER_UNKNOWN' }])
    const stranger = await world.start('eve', { files: new MemoryFiles() })
    expect((await ask(world, { from: stranger, to: ana.node, id: transfer.id, window: 10_000 })).frames).toEqual([])
    await bo.node.messenger.change(ana.node.messenger.identity.account, {})
    await ana.node.messenger.change(bo.node.messenger.identity.account, { blocked: true })
    expect((await ask(world, { from: bo.node, to: ana.node, id: transfer.id, window: 10_000 })).frames).toEqual([])
  })

  it('[FI12] without credit nothing more than the window is sent', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_000_000))
    const transfer = await offer(both)
    const asked = await ask(world, { from: bo.node, to: ana.node, id: transfer.id, window: 100_000 })
    expect(asked.frames.map(({ kind }) => kind)).toEqual(['stream', 'chunk'])
    expect(asked.bytes).toBe(100_000)
  })

  it('[FI11] [FI19] a file that changes while it is sent fails on both sides, and nothing is left of it', async () => {
    const { world, ana, bo, transfer } = await underWay()
    ana.disk.files.set('a.bin', content(2, 1_200_000))
    // What was fetched from the first is kept over this; the tree tells that it does not fit.
    world.network.dropLinks(() => true)
    await until(world, () => stateOf(bo, transfer) === 'failed' && stateOf(ana, transfer) === 'failed')
    expect(filesOf(bo).get(transfer.id).reason).toBe('FILE_CHANGED')
    expect([...bo.disk.files.keys(), ...bo.disk.parts.keys()]).toEqual([])
  })

  it('[FI11] a source that has sealed a chunk does not seal another under its number', async () => {
    const disk = new MemoryFiles()
    disk.files.set('a', content(1, 10))
    const { place, ...found } = await disk.describe(['a'])
    const manifest = { ...found, chunkSize: 262_144, key: new Uint8Array(32), root: undefined }
    const source = await disk.openSource(place, manifest)
    const stream = { key: new Uint8Array(32), prefix: new Uint8Array(7) }
    expect(await source.seal('content', 0, stream)).toEqual(await source.seal('content', 0, stream))
    disk.files.set('a', content(2, 10))
    await expect(source.seal('content', 0, stream)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  })

  it('[FI20] [FI24] an offer that its sender pauses and lets go on still waits for the user', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 100))
    const transfer = await offer(both)
    await filesOf(ana).pause(transfer.id)
    await world.run(1_000)
    expect(stateOf(bo, transfer)).toBe('offered')
    await filesOf(ana).resume(transfer.id)
    await world.run(5_000)
    expect([stateOf(bo, transfer), bo.disk.files.size]).toEqual(['offered', 0])
  })

  it('[FI24] either side pauses and goes on', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const bytes = content(1, 1_200_000)
    ana.disk.files.set('a.bin', bytes)
    const transfer = await offer(both)
    await filesOf(ana).setRate(500_000)
    await filesOf(bo).accept(transfer.id, 'in')
    for (const side of [ana, bo]) {
      const before = filesOf(bo).get(transfer.id).moved
      await until(world, () => filesOf(bo).get(transfer.id).moved > before + 200_000)
      await filesOf(side).pause(transfer.id)
      await world.run(2_000)
      expect(filesOf(side === ana ? bo : ana).get(transfer.id).reason).toBe('paused-there')
      const { moved } = filesOf(bo).get(transfer.id)
      await world.run(120_000)
      expect(filesOf(bo).get(transfer.id).moved).toBe(moved)
      expect(stateOf(side, transfer)).toBe('paused')
      await filesOf(side).resume(transfer.id)
      await until(world, () => filesOf(bo).get(transfer.id).state !== 'paused' && filesOf(ana).get(transfer.id).reason === null)
    }
    await world.run(10_000)
    expect([stateOf(ana, transfer), stateOf(bo, transfer)]).toEqual(['done', 'done'])
    expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
  })

  it.each(['sender', 'recipient'])('[FI24] the %s ends it for good; the other side learns of it, also later', async (who) => {
    const { world, ana, bo, transfer } = await underWay()
    const [one, other] = who === 'sender' ? [ana, bo] : [bo, ana]
    world.network.partition(ana.node.swarm.self, bo.node.swarm.self, true)
    await filesOf(one).cancel(transfer.id)
    await world.run(5_000)
    expect(stateOf(other, transfer)).not.toBe('cancelled')
    world.network.mend()
    await world.run(120_000)
    expect([stateOf(one, transfer), stateOf(other, transfer)]).toEqual(['cancelled', 'cancelled'])
    expect(bo.disk.parts.size).toBe(0)
    await filesOf(one).resume(transfer.id)
    expect(stateOf(one, transfer)).toBe('cancelled')
  })

  it('[FI24] a full disk pauses it, and it goes on from there', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const bytes = content(1, 1_200_000)
    ana.disk.files.set('a.bin', bytes)
    const transfer = await offer(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => filesOf(bo).get(transfer.id).bytes > 300_000)
    bo.disk.full = true
    await world.run(60_000)
    expect(filesOf(bo).get(transfer.id)).toMatchObject({ state: 'paused', reason: 'DISK_FULL' })
    bo.disk.full = false
    await filesOf(bo).resume(transfer.id)
    await world.run(60_000)
    expect(bo.disk.files.get('in/a.bin')).toEqual(bytes)
  })

  it('[FI25] two recipients share what is read and sealed', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const disk = new MemoryFiles()
    const cid = { disk, node: await world.start('cid', { files: disk }) }
    await world.befriend(ana.node, cid.node)
    const bytes = content(1, 1_500_000)
    ana.disk.files.set('a.bin', bytes)
    const opened = counted(ana.disk)
    const sending = filesOf(ana).send(
      [bo, cid].map(({ node }) => world.contactOf(ana.node, node)),
      ['a.bin'],
    )
    await world.run(1_000)
    const transfers = await sending
    for (const side of [bo, cid]) for (const { id } of filesOf(side).list()) await filesOf(side).accept(id, 'in')
    await world.run(10_000)
    expect(transfers.map((each) => stateOf(ana, each))).toEqual(['done', 'done'])
    for (const side of [bo, cid]) expect(side.disk.files.get('in/a.bin')).toEqual(bytes)
    // Six chunks, and at most the first of them again for who came a moment later.
    expect(opened.sealed).toBeLessThan(12)
  })

  it('[FI20] what a contact may send without asking is accepted, what is larger waits', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_000))
    ana.disk.files.set('b.bin', content(2, 1_001))
    const account = ana.node.messenger.identity.account
    await filesOf(bo).setAutoAccept(account, { maxBytes: 1_000, folder: 'auto' })
    const [small, large] = [await offer(both, ['a.bin']), await offer(both, ['b.bin'])]
    await world.run(5_000)
    expect([stateOf(bo, small), stateOf(bo, large)]).toEqual(['done', 'offered'])
    expect(bo.disk.files.has('auto/a.bin')).toBe(true)
    await filesOf(bo).setAutoAccept(account, null)
    expect(stateOf(bo, await offer(both, ['a.bin']))).toBe('offered')
  })

  it('[FI21] [FI7] offers that nobody answers are bounded; they are still there after a restart', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_000))
    const first = await offer(both)
    const known = await bo.node.store.transfer(first.id, 'in')
    if (known === null) throw new Error('the offer is there')
    const random = seededRandom(1)
    const writes = Array.from({ length: 999 }, () => ({ ...known, id: messageIdFromBytes(random.bytes(16)) }))
    await bo.node.store.commit(writes.map((transfer) => ({ kind: 'transfer.offer', transfer }) as const))
    world.kill(bo.node)
    bo.node = await world.start('bo', { files: bo.disk, store: bo.node.store.reopened() })
    expect(
      filesOf(bo)
        .list()
        .filter(({ state }) => state === 'offered'),
    ).toHaveLength(1_000)
    const more = await offer(both)
    await world.run(5_000)
    expect(filesOf(bo).get(more.id)).toMatchObject({ state: 'failed', reason: 'TOO_MANY_FILES' })
    expect(filesOf(ana).get(more.id)).toMatchObject({ state: 'failed' })
  })

  it('[FI22] three are fetched at once, the others after them', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const offers: Transfer[] = []
    for (let number = 0; number < 5; number += 1) {
      ana.disk.files.set(`f${number}`, content(number + 1, 600_000))
      offers.push(await offer(both, [`f${number}`]))
    }
    for (const { id } of offers) await filesOf(bo).accept(id, 'in')
    let most = 0
    await until(world, () => {
      most = Math.max(
        most,
        filesOf(bo)
          .list()
          .filter(({ state }) => state === 'running').length,
      )
      return offers.every((each) => stateOf(bo, each) === 'done')
    })
    expect(most).toBe(3)
  })

  it('[FI22] sixteen streams of one device are served, whatever it does with them', async () => {
    const { world, ana, bo } = await pair()
    const ended: number[] = []
    const opened = await Promise.all(Array.from({ length: 18 }, () => bo.node.swarm.open(ana.node.swarm.self, FILE_PROTOCOL)))
    for (const [at, each] of opened.entries()) {
      if (each.kind === 'open') void listenTo(each.channel, { frames: [], bytes: 0 }).then(() => ended.push(at))
    }
    await world.run(1_000)
    expect(ended).toEqual([16, 17])
  })

  it('[FI23] no more than so many bytes a second', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 1_000_000))
    const transfer = await offer(both)
    await filesOf(ana).setRate(100_000)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(5_000)
    expect(filesOf(ana).get(transfer.id).moved).toBeLessThan(700_000)
    expect(filesOf(ana).get(transfer.id).moved).toBeGreaterThan(300_000)
    await filesOf(ana).setRate(0)
    await world.run(10_000)
    expect(stateOf(bo, transfer)).toBe('done')
  })
})

interface Asking {
  readonly from: WorldNode
  readonly to: WorldNode
  readonly id: Transfer['id']
  readonly window: number
}

/** Asks for the first chunk, and gives no credit. */
async function ask(world: World, { from, to, id, window }: Asking): Promise<{ frames: FileFrame[]; bytes: number }> {
  const opened = await from.swarm.open(to.swarm.self, FILE_PROTOCOL)
  if (opened.kind === 'absent') return { frames: [], bytes: 0 }
  const heard = { frames: [] as FileFrame[], bytes: 0 }
  void listenTo(opened.channel, heard)
  await opened.channel.send(
    encodeFileFrame({
      kind: 'request',
      id,
      part: 'content',
      missing: [[0, 1]],
      window,
      bulk: new Uint8Array(),
      key: new Uint8Array(),
      partial: false,
      known: 0,
    }),
  )
  await world.run(3_000)
  opened.channel.close()
  return heard
}

async function listenTo(channel: Channel, heard: { frames: FileFrame[]; bytes: number }): Promise<void> {
  for await (const bytes of channel.frames()) {
    if (heard.frames.some(({ kind }) => kind === 'chunk')) heard.bytes += bytes.length
    else heard.frames.push(decodeFileFrame(bytes))
  }
}

function counted(disk: MemoryFiles): { sealed: number } {
  const count = { sealed: 0 }
  const open = disk.openSource.bind(disk)
  disk.openSource = async (...args) => {
    const source = await open(...args)
    const seal = source.seal.bind(source)
    source.seal = (...at) => {
      count.sealed += 1
      return seal(...at)
    }
    return source
  }
  return count
}
