/** What a hostile contact says of a stream. */
import { describe, expect, it } from 'vitest'
import type { Channel } from '../ports/swarm.ts'
import { content, filesOf, offer, pair, type Side, stateOf, until } from '../testing/file-pair.ts'
import { MIB, piped } from '../testing/stream-pair.ts'
import { decodeFileFrame, encodeFileFrame, type FileFrame } from '../wire/files.ts'
import { FILE_PROTOCOL } from './file-link.ts'

type Grown = Extract<FileFrame, { kind: 'grown' }>

/** From now on whoever asks `side` hears something else where it says how a request has ended. */
function lying({ node: { swarm } }: Side, lie: (said: FileFrame) => FileFrame): void {
  const serve = swarm.handlers.get(FILE_PROTOCOL)
  if (serve === undefined) throw new Error('it serves')
  swarm.handlers.set(FILE_PROTOCOL, (channel) => {
    const send = (frame: Uint8Array): Promise<boolean> => channel.send(liedOf(frame, lie))
    return serve({ peer: channel.peer, frames: () => channel.frames(), send, close: () => channel.close() } as Channel)
  })
}

/** What are no frames are bytes of chunks. */
function liedOf(frame: Uint8Array, lie: (said: FileFrame) => FileFrame): Uint8Array {
  if (frame.length > 100) return frame
  try {
    return encodeFileFrame(lie(decodeFileFrame(frame)))
  } catch {
    return frame
  }
}

const grown = (change: (said: Grown) => Partial<Grown>) => (said: FileFrame) =>
  said.kind === 'grown' ? { ...said, ...change(said) } : said

describe('whoever offers a stream', () => {
  it.each([
    ['says that it has not grown', grown(() => ({ size: MIB })), 'BAD_FRAME'],
    ['says that it is less', grown(() => ({ size: 0 })), 'BAD_FRAME'],
    ['says that it has grown by part of a chunk', grown(({ size }) => ({ size: size + 1 })), 'BAD_FRAME'],
    ['says that it is larger than all that is sent', grown(() => ({ size: 2 ** 41 })), 'FILE_TOO_LARGE'],
    ['ends it earlier than it does', grown(() => ({ size: 2 * MIB, ended: true })), 'SEAL_BROKEN'],
    ['ends it in a chunk that is longer', grown(() => ({ size: 1.5 * MIB, ended: true })), 'BAD_FRAME'],
  ])('[FI71] and %s, has failed with it: nothing of it stays', async (_what, lie, reason) => {
    const both = await pair()
    const { world, ana, bo } = both
    const { pipe, transfer } = await piped(both)
    lying(ana, lie)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(1_000)
    await pipe.grow(3.5 * MIB)
    await until(world, () => stateOf(bo, transfer) === 'failed')
    expect(filesOf(bo).get(transfer.id).reason).toBe(reason)
    await world.run(2_000)
    expect([bo.disk.files.size, bo.disk.parts.size]).toEqual([0, 0])
  })

  it('[FI71] and goes on with it after its end, has failed with it', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { pipe, transfer } = await piped(both, { size: 2.5 * MIB })
    // Instead of its root.
    lying(ana, (said) => (said.kind === 'end' ? { kind: 'grown', size: 4 * MIB, ended: false } : said))
    await filesOf(bo).accept(transfer.id, 'in')
    await pipe.grow(pipe.all.length, true)
    await until(world, () => stateOf(bo, transfer) === 'failed')
    expect(filesOf(bo).get(transfer.id).reason).toBe('BAD_FRAME')
  })

  it('[FI71] where none was offered, has failed with it', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    ana.disk.files.set('a.bin', content(1, 300_000))
    const transfer = await offer(both)
    lying(ana, (said) => (said.kind === 'end' ? { kind: 'grown', size: 4 * MIB, ended: true } : said))
    await filesOf(bo).accept(transfer.id, 'in')
    await until(world, () => stateOf(bo, transfer) === 'failed')
    expect(filesOf(bo).get(transfer.id).reason).toBe('BAD_FRAME')
  })

  it('[FI19] and sends another root at its end, has failed with it', async () => {
    const both = await pair()
    const { world, ana, bo } = both
    const { pipe, transfer } = await piped(both)
    await filesOf(bo).accept(transfer.id, 'in')
    await world.run(1_000)
    lying(ana, (said) => (said.kind === 'end' ? { ...said, root: new Uint8Array(48) } : said))
    world.network.dropLinks(() => true)
    await pipe.grow(pipe.all.length, true)
    await until(world, () => stateOf(bo, transfer) === 'failed')
    expect([filesOf(bo).get(transfer.id).reason, bo.disk.files.size]).toEqual(['SEAL_BROKEN', 0])
  })
})

it('[FI71] who says that a stream is whole that still grows, does not end it', async () => {
  const both = await pair()
  const { world, ana, bo } = both
  const { pipe, transfer } = await piped(both)
  const opened = await bo.node.swarm.open(ana.node.swarm.self, FILE_PROTOCOL)
  if (opened.kind !== 'open') throw new Error('ana is there')
  await opened.channel.send(encodeFileFrame({ kind: 'outcome', id: transfer.id, state: 'done', code: '', digest: new Uint8Array(32) }))
  await world.run(1_000)
  expect(stateOf(ana, transfer)).toBe('waiting')
  await filesOf(bo).accept(transfer.id, 'in')
  await pipe.grow(pipe.all.length, true)
  await world.run(3_000)
  expect(bo.disk.files.get('in/pipe')).toEqual(pipe.all)
})
