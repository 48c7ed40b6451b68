import { describe, expect, it } from 'vitest'
import { type MessageId, messageIdFromBytes } from '../ids.ts'
import { type MainPath, sendFileWord } from '../main-path/index.ts'
import { content, filesOf, type Side, stateOf } from '../testing/file-pair.ts'
import { MemoryFiles } from '../testing/memory-files.ts'
import { World, type WorldRelay } from '../testing/world.ts'
import { decodeMailedWord, encodeMailedWord } from '../wire/mailed-words.ts'
import { MAX_MAILED_BYTES } from './limits.ts'

const MAILBOX = 'http://a.test'
const mailboxes = [MAILBOX]

interface Scene {
  readonly world: World
  readonly relay: WorldRelay
  readonly ana: Side
  readonly bo: Side
}

async function scene(seed: number): Promise<Scene> {
  const world = new World(seed)
  const relay = world.relay(MAILBOX)
  const start = async (name: string): Promise<Side> => {
    const disk = new MemoryFiles()
    return { disk, node: await world.start(name, { files: disk, mailboxes }) }
  }
  const [ana, bo] = [await start('ana'), await start('bo')]
  await world.befriend(ana.node, bo.node)
  await world.run(5_000)
  return { world, relay, ana, bo }
}

async function back(world: World, side: Side): Promise<void> {
  side.node = await world.start(side.node.name, { store: side.node.store.reopened(), files: side.disk, mailboxes })
  await world.run(10_000)
}

/** Offers files of ana's disk to bo; the id of the transfer. */
async function offer({ world, ana, bo }: Scene, ...paths: readonly string[]): Promise<MessageId> {
  const sending = filesOf(ana).send([world.contactOf(ana.node, bo.node)], paths)
  await world.run(10_000)
  const [transfer] = await sending
  if (transfer === undefined) throw new Error('nothing was offered')
  return transfer.id
}

/** Offers a file of so many bytes to bo, who is off; the id of the transfer. */
async function mailed(all: Scene, bytes: number): Promise<MessageId> {
  all.world.kill(all.bo.node)
  all.ana.disk.files.set('a.bin', content(1, bytes))
  return offer(all, 'a.bin')
}

const always = ({ world, ana, bo }: Scene): Promise<void> =>
  filesOf(bo).setAutoAccept(world.contactOf(bo.node, ana.node).account, { maxBytes: 1e9, folder: 'in' })
const lying = async ({ relay }: Scene): Promise<number> => (await relay.store.totals()).envelopes

describe('small files by mail', () => {
  it('[FI34] the sender is off after sending, the recipient comes back later: it has the file, and the sender learns of it by mail', async () => {
    const all = await scene(801)
    const { world, ana, bo } = all
    await always(all)
    const id = await mailed(all, 300_000)
    expect(filesOf(ana).get(id)).toMatchObject({ state: 'waiting', reason: 'mailed' })
    expect(await lying(all)).toBe(1 + Math.ceil(300_000 / 57_344))
    world.kill(ana.node)
    await back(world, bo)
    expect(stateOf(bo, { id })).toBe('done')
    expect(bo.disk.files.get('in/a.bin')).toEqual(content(1, 300_000))
    expect([...bo.disk.parts]).toEqual([])
    world.kill(bo.node)
    await back(world, ana)
    expect(filesOf(ana).get(id)).toMatchObject({ state: 'done', reason: null, bytes: 300_000 })
    const { account } = world.contactOf(bo.node, ana.node)
    expect([await bo.node.store.fileWords(account, id), await lying(all)]).toEqual([[], 0])
  })

  it('[FI34] what comes while the sender is still being looked for is taken at once', async () => {
    const all = await scene(811)
    const { world, ana, bo } = all
    await always(all)
    const id = await mailed(all, 300_000)
    world.kill(ana.node)
    bo.node = await world.start(bo.node.name, { store: bo.node.store.reopened(), files: bo.disk, mailboxes })
    const { swarm } = bo.node
    const open = swarm.open.bind(swarm)
    swarm.open = async (device, protocol, options) => {
      await world.clock.sleep(60_000, options?.signal === undefined ? {} : { signal: options.signal })
      return open(device, protocol)
    }
    await world.run(5_000)
    expect(stateOf(bo, { id })).toBe('done')
  })

  it('[FI34] a folder and an empty file go the same way', async () => {
    const all = await scene(802)
    const { world, ana, bo } = all
    await always(all)
    world.kill(bo.node)
    const files = { 'top/one': content(1, 10), 'top/two': content(2, 70_000), 'top/none': new Uint8Array() }
    for (const [path, bytes] of Object.entries(files)) ana.disk.files.set(path, bytes)
    ana.disk.files.set('empty', new Uint8Array())
    const ids = [await offer(all, 'top'), await offer(all, 'empty')]
    world.kill(ana.node)
    await back(world, bo)
    expect(ids.map((id) => stateOf(bo, { id }))).toEqual(['done', 'done'])
    for (const [path, bytes] of Object.entries(files)) expect(bo.disk.files.get(`in/${path}`)).toEqual(bytes)
    expect(bo.disk.files.get('in/empty')).toEqual(new Uint8Array())
  })

  it('[FI20] [FI34] what came by mail stands under no name before the user says yes', async () => {
    const all = await scene(803)
    const { world, ana, bo } = all
    const id = await mailed(all, 100_000)
    world.kill(ana.node)
    await back(world, bo)
    expect([stateOf(bo, { id }), bo.disk.files.size, bo.disk.parts.size]).toEqual(['offered', 0, 0])
    await filesOf(bo).accept(id, 'in')
    await world.run(1_000)
    expect([stateOf(bo, { id }), bo.disk.files.get('in/a.bin')]).toEqual(['done', content(1, 100_000)])
  })

  it('[FI34] what is declined leaves nothing here', async () => {
    const all = await scene(804)
    const { world, ana, bo } = all
    const id = await mailed(all, 100_000)
    world.kill(ana.node)
    await back(world, bo)
    const { account } = world.contactOf(bo.node, ana.node)
    expect(await bo.node.store.fileWords(account, id)).toHaveLength(2)
    await filesOf(bo).cancel(id)
    expect(await bo.node.store.fileWords(account, id)).toEqual([])
  })

  it('[FI34] larger files are not mailed, nor more than a share of a day; they wait and start by themselves', async () => {
    const all = await scene(805)
    const { world, ana, bo } = all
    await always(all)
    world.kill(bo.node)
    ana.disk.files.set('large', content(1, MAX_MAILED_BYTES + 1))
    for (let number = 0; number < 5; number += 1) ana.disk.files.set(`${number}`, content(number, 1_000_000))
    const large = await offer(all, 'large')
    const ids: MessageId[] = []
    for (let number = 0; number < 5; number += 1) ids.push(await offer(all, `${number}`))
    expect(filesOf(ana).get(large).reason).toBeNull()
    expect(ids.map((id) => filesOf(ana).get(id).reason)).toEqual(['mailed', 'mailed', 'mailed', 'mailed', null])
    await back(world, bo)
    await world.run(60_000)
    expect([large, ...ids].map((id) => stateOf(bo, { id }))).toEqual(Array(6).fill('done'))
  }, 30_000)

  it('[FI34] what its sender takes back while the recipient is away does not arrive', async () => {
    const all = await scene(813)
    const { world, ana, bo } = all
    await always(all)
    const id = await mailed(all, 100_000)
    await filesOf(ana).cancel(id)
    await world.run(10_000)
    world.kill(ana.node)
    await back(world, bo)
    expect([filesOf(bo).get(id), bo.disk.files.size]).toMatchObject([{ state: 'cancelled', reason: 'there' }, 0])
  })

  it('[FI34] what had come before it was taken back is done at both', async () => {
    const all = await scene(814)
    const { world, ana, bo } = all
    await always(all)
    const id = await mailed(all, 100_000)
    world.kill(ana.node)
    await back(world, bo)
    expect(stateOf(bo, { id })).toBe('done')
    world.kill(bo.node)
    ana.node = await world.start('ana', { store: ana.node.store.reopened(), files: ana.disk, mailboxes })
    await filesOf(ana).cancel(id)
    await world.run(20_000)
    expect(stateOf(ana, { id })).toBe('done')
  })

  it('[FI34] what was too much for one day is left on the next', async () => {
    const all = await scene(812)
    const { world, ana, bo } = all
    world.kill(bo.node)
    for (let number = 0; number < 5; number += 1) ana.disk.files.set(`${number}`, content(number, 1_000_000))
    const ids: MessageId[] = []
    for (let number = 0; number < 5; number += 1) ids.push(await offer(all, `${number}`))
    const reasons = (): unknown[] => ids.map((id) => filesOf(ana).get(id).reason)
    expect(reasons().at(-1)).toBeNull()
    const { device } = bo.node.messenger.identity
    await ana.node.store.commit([{ kind: 'setting.put', key: `files.mailed.${device}`, value: '1 4000000' }])
    // A whole day of virtual time takes long.
    await (Reflect.get(filesOf(ana), 'lookDaily') as () => Promise<void>).call(filesOf(ana))
    await world.run(10_000)
    expect(reasons()).toEqual(Array(5).fill('mailed'))
  }, 30_000)

  it('[FI34] who accepts while the sender is off asks by mail; the sender leaves it though the two never meet', async () => {
    const all = await scene(806)
    const { world, ana, bo } = all
    ana.disk.files.set('a.bin', content(1, 100_000))
    const id = await offer(all, 'a.bin')
    world.kill(ana.node)
    await world.run(5_000)
    await filesOf(bo).accept(id, 'in')
    await world.run(20_000)
    world.kill(bo.node)
    await back(world, ana)
    await world.run(20_000)
    world.kill(ana.node)
    await back(world, bo)
    expect(stateOf(bo, { id })).toBe('done')
  })

  it('[FI34] a killed sender leaves the rest when it is back; it is not left twice', async () => {
    const all = await scene(807)
    const { world, ana, bo } = all
    await always(all)
    const id = await mailed(all, 200_000)
    const before = await lying(all)
    world.kill(ana.node)
    await back(world, ana)
    await world.run(20_000)
    expect(await lying(all)).toBe(before)
    world.kill(ana.node)
    await back(world, bo)
    expect(stateOf(bo, { id })).toBe('done')
  })
})

describe('hostile mail about files', () => {
  /** bo has an offer and pieces that somebody has changed; ana is away. */
  async function meddled(
    seed: number,
    change: (words: readonly Uint8Array[]) => readonly Uint8Array[],
  ): Promise<Scene & { id: MessageId }> {
    const all = await scene(seed)
    const { world, ana, bo } = all
    const id = await mailed(all, 200_000)
    world.kill(ana.node)
    await back(world, bo)
    const { account: contact } = world.contactOf(bo.node, ana.node)
    const words = await bo.node.store.fileWords(contact, id)
    const changed = change(words.map(({ word }) => word)).map((word, at) => {
      const stored = { id: messageIdFromBytes(new Uint8Array(16).fill(at + 1)), contact, transfer: id, word, at: 0 }
      return { kind: 'file-word.put', word: stored, most: 1e9 } as const
    })
    await bo.node.store.commit([{ kind: 'file-words.remove', contact, transfer: id }, ...changed])
    await filesOf(bo).accept(id, 'in')
    await world.run(5_000)
    return { ...all, id }
  }

  const flipped = (word: Uint8Array): Uint8Array => word.map((byte, at) => (at === word.length - 9 ? byte ^ 1 : byte))
  const renumbered = (word: Uint8Array, index: number): Uint8Array => {
    const decoded = decodeMailedWord(word)
    return decoded.kind === 'piece' ? encodeMailedWord({ ...decoded, index }) : word
  }
  const cases: Record<string, (words: readonly Uint8Array[]) => readonly Uint8Array[]> = {
    'a piece that was changed': ([first = NONE, ...rest]) => [flipped(first), ...rest],
    'a piece that is missing': ([, ...rest]) => rest,
    'pieces in each other’s place': (words) => words.map((word, at) => renumbered(word, (at + 1) % words.length)),
    'a piece beyond the end': ([first = NONE, ...rest]) => [renumbered(first, rest.length + 1), ...rest],
    'words that are none': (words) => words.map((_, at) => content(at, 50)),
  }
  for (const [at, [name, change]] of Object.entries(cases).entries())
    it(`[FI34] ${name}: nothing stands under its name, and it comes from the sender later`, async () => {
      const { world, ana, bo, id } = await meddled(820 + at, change)
      expect([stateOf(bo, { id }), bo.disk.files.size]).toEqual(['waiting', 0])
      await back(world, ana)
      await world.run(60_000)
      expect([stateOf(bo, { id }), bo.disk.files.get('in/a.bin')]).toEqual(['done', content(1, 200_000)])
    })

  it('[FI34] pieces that come twice, beside rubbish and a part of another sealing, change nothing', async () => {
    const { bo, id } = await meddled(840, (words) => {
      const [first = NONE] = words
      const decoded = decodeMailedWord(first)
      const foreign = decoded.kind === 'piece' ? encodeMailedWord({ ...decoded, sealing: new Uint8Array(16) }) : first
      return [content(1, 40), foreign, ...words, ...words]
    })
    expect([stateOf(bo, { id }), bo.disk.files.get('in/a.bin')]).toEqual(['done', content(1, 200_000)])
  })

  it('[FI34] a full disk pauses it, and what came by mail is still there', async () => {
    const all = await scene(841)
    const { world, ana, bo } = all
    await always(all)
    const id = await mailed(all, 200_000)
    world.kill(ana.node)
    bo.disk.full = true
    await back(world, bo)
    expect(filesOf(bo).get(id)).toMatchObject({ state: 'paused', reason: 'DISK_FULL' })
    bo.disk.full = false
    await filesOf(bo).resume(id)
    await world.run(1_000)
    expect(stateOf(bo, { id })).toBe('done')
  })

  it('[FI35] a contact that leaves words about no file at all has 8 MiB and then no more, and they go after 40 days', async () => {
    const all = await scene(842)
    const { world, ana, bo } = all
    const path = Reflect.get(ana.node.messenger, 'mainPath') as MainPath
    const [device] = ana.node.messenger.book.devicesOf(world.contactOf(ana.node, bo.node).account)
    if (device === undefined) throw new Error('bo has no device')
    const transfer = messageIdFromBytes(new Uint8Array(16).fill(7))
    for (let sent = 0; sent < 150; sent += 1) await sendFileWord(path, device, { transfer, word: content(sent, 60_000) })
    await world.run(20_000)
    const { account } = world.contactOf(bo.node, ana.node)
    const kept = await bo.node.store.fileWords(account, transfer)
    expect(kept).toHaveLength(Math.floor(8_388_608 / 60_000))
    world.kill(bo.node)
    const later = await world.start('bo', { store: bo.node.store.reopened(), files: bo.disk, skewMs: 41 * 86_400_000 })
    expect(await later.store.fileWords(account, transfer)).toEqual([])
  }, 30_000)

  it('[FI34] a word is of one kind, in range and of the right size, or refused', () => {
    const piece = { kind: 'piece', sealing: new Uint8Array(16), index: 0, bytes: new Uint8Array(9) } as const
    expect(decodeMailedWord(encodeMailedWord(piece))).toEqual(piece)
    for (const wrong of [
      { ...piece, sealing: new Uint8Array(15) },
      { ...piece, index: 20 },
      { ...piece, bytes: new Uint8Array(57_345) },
      { kind: 'done', digest: new Uint8Array(31) } as const,
    ])
      expect(() => decodeMailedWord(encodeMailedWord(wrong))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    expect(() => decodeMailedWord(NONE)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })
})

const NONE = new Uint8Array()
