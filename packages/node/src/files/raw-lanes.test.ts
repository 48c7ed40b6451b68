/** Chunks on raw connections that the worker threads of two devices hold. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BulkLink, ChunkReceiver, ChunkSender, ContentSink, ContentSource, FileManifest } from '@skein/core'
import { chunkSizeFor, planOf } from '@skein/core/files'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TestNetwork } from '../swarm/test-network.ts'
import { bulkPortOn } from './bulk-port.ts'
import { NodeFiles } from './node-files.ts'

const BYTES = 3_000_000
const network = new TestNetwork()
const undo: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const end of undo.splice(0).reverse()) await end()
  await network.clear()
})

interface Ends {
  readonly top: string
  readonly content: Uint8Array
  readonly manifest: FileManifest
  readonly source: ContentSource
  readonly sink: ContentSink
  /** Of the recipient and of the sender. */
  readonly links: readonly [BulkLink, BulkLink]
}

/** A source and a sink of one file, and a raw connection between their devices. */
async function ends({ dialledBy }: { readonly dialledBy: 'sender' | 'recipient' }): Promise<Ends> {
  const top = mkdtempSync(join(tmpdir(), 'skein-lanes-'))
  undo.push(() => rmSync(top, { recursive: true, force: true }))
  const [sender, recipient] = ['sender', 'recipient'].map((name) => {
    const files = new NodeFiles({ stateFolder: join(top, name), defaultFolder: join(top, 'in') })
    undo.push(() => files.stop())
    return files
  }) as [NodeFiles, NodeFiles]
  const content = randomBytes(BYTES)
  mkdirSync(join(top, 'in'))
  writeFileSync(join(top, 'a'), content)
  const described = await sender.describe([join(top, 'a')])
  const manifest: FileManifest = { ...described, chunkSize: chunkSizeFor(BYTES), key: randomBytes(32), root: undefined }
  const source = await sender.openSource(described.place, manifest)
  const sink = await recipient.openSink({ id: 'ab', manifest, list: undefined, folder: join(top, 'in') })
  return { top, content, manifest, source, sink, links: await connected(dialledBy) }
}

async function connected(dialledBy: 'sender' | 'recipient'): Promise<[BulkLink, BulkLink]> {
  const [dialler, dialled] = await network.pair()
  await dialler.open(dialled.self, '/skein/none/1')
  const [from, to] = dialledBy === 'recipient' ? [dialler, dialled] : [dialled, dialler]
  const taken: BulkLink[] = []
  bulkPortOn(to).handle(
    () => true,
    (link) => taken.push(link),
  )
  const link = await bulkPortOn(from).open(to.self, { mayRelay: false })
  await vi.waitFor(() => expect(taken).toHaveLength(1), { timeout: 60_000 })
  // The name, which goes before the two are handed over.
  expect(await link?.send(Uint8Array.of(1))).toBe(true)
  await taken[0]?.frames()[Symbol.asyncIterator]().next()
  return [link as BulkLink, taken[0] as BulkLink]
}

const stream = { key: new Uint8Array(32), prefix: new Uint8Array(7) }
const indices = Array.from({ length: planOf({ size: BYTES, chunkSize: chunkSizeFor(BYTES) }).count }, (_, index) => index)
const sendAll = (sender: ChunkSender, isShared = false): Promise<boolean>[] =>
  indices.map((index) => sender.send({ part: 'content', index, stream, isShared }))

async function handedOver({ source, sink, links }: Ends): Promise<[ChunkSender, ChunkReceiver]> {
  const receiver = await sink.receiveFrom?.(links[0])
  const sender = await source.sendOver?.(links[1])
  if (receiver === undefined || sender === undefined) throw new Error('not handed over')
  return [sender, receiver]
}

/** Whether Node.js moves sockets between threads. */
const moves = process.platform !== 'win32' && Number(process.versions.node.split('.')[0]) >= 26

describe.skipIf(!moves)('raw connections in the threads that seal and open', { timeout: 120_000 }, () => {
  it.each(['sender', 'recipient'] as const)('[FI26] carry all chunks, where the %s has dialled', async (dialledBy) => {
    const both = await ends({ dialledBy })
    const [sender, receiver] = await handedOver(both)
    const sent = sendAll(sender)
    const received = await Promise.all(indices.map((index) => receiver.receive(index, stream)))
    expect(received.every((each) => each === 'written')).toBe(true)
    expect((await Promise.all(sent)).every(Boolean)).toBe(true)
    expect(await both.sink.finish()).toEqual(await both.source.finish())
    expect(readFileSync(await both.sink.commit()).equals(both.content)).toBe(true)
  })

  it('[FI9] [FI25] do not write what was sealed for another place, and leave kept chunks as they are', async () => {
    const both = await ends({ dialledBy: 'recipient' })
    const [sender, receiver] = await handedOver(both)
    const order = { part: 'content', index: 1, stream, isShared: true } as const
    await Promise.all([sender.send(order), sender.send(order), sender.send({ ...order, index: 0 }), sender.send(order)])
    expect(await receiver.receive(1, stream)).toBe('written')
    await expect(receiver.receive(0, stream)).rejects.toMatchObject({ code: 'SEAL_BROKEN' })
    expect(await receiver.receive(0, stream)).toBe('written')
    expect(await receiver.receive(indices.length - 1, stream)).toBe('unfit')
    expect([both.sink.present.has(0), both.sink.present.has(1), both.sink.present.size]).toEqual([true, true, 2])
  })

  it('[FI26] tell both sides of the end of the other one', async () => {
    const both = await ends({ dialledBy: 'sender' })
    const [sender, receiver] = await handedOver(both)
    const waiting = receiver.receive(0, stream)
    both.links[1].close()
    expect(await waiting).toBe('ended')
    expect(await receiver.receive(0, stream)).toBe('ended')
    expect(await sender.send({ part: 'content', index: 0, stream, isShared: false })).toBe(false)
  })

  it('[FI11] send nothing of a file that has changed', async () => {
    const both = await ends({ dialledBy: 'recipient' })
    const [sender] = await handedOver(both)
    writeFileSync(join(both.top, 'a'), 'short')
    await expect(sender.send({ part: 'content', index: 0, stream, isShared: false })).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  })
})
