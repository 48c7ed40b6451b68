/** Where chunks are read, sealed and opened several at once, as in a browser, each is there when it is. */
import { expect, it } from 'vitest'
import { noblePrimitives } from '../e2ee/primitives.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { planOf } from './chunk-plan.ts'
import type { ByteSink, ByteSource } from './file-ports.ts'
import { OpeningSink } from './opening-sink.ts'
import { SealingSource } from './sealing-source.ts'
import { deriveStreamKey } from './stream-seal.ts'

const CHUNK = 262_144
const CHUNKS = [0, 1, 2, 3]
const content = new Uint8Array(CHUNKS.length * CHUNK).map((_byte, at) => at % 251)
const manifest: FileManifest = {
  ...{ name: 'a', mediaType: '', modifiedAt: 0, size: content.length, chunkSize: CHUNK, key: new Uint8Array(32) },
  ...{ root: undefined, folder: undefined, stream: undefined },
}
const stream = deriveStreamKey(noblePrimitives, manifest.key, { salt: new Uint8Array(32), part: 'content' })
const chunkAt = (offset: number): Uint8Array => content.slice(offset, offset + CHUNK)

/** Work that ends when it is told to, the last first. */
class Reversed {
  readonly begun: (() => void)[] = []

  run<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => this.begun.push(() => resolve(work())))
  }

  async end(): Promise<void> {
    for (const each of this.begun.toReversed()) {
      each()
      await Promise.resolve()
    }
  }
}

const ended = async (): Promise<void> => undefined

it('[FI10] chunks that are read out of order are hashed in order, and none of them is read twice', async () => {
  const reads = new Reversed()
  const bytes: ByteSource = { read: (_part, offset) => reads.run(() => chunkAt(offset)), check: ended, close: ended }
  const source = new SealingSource(noblePrimitives, manifest, bytes)
  const sealed = CHUNKS.map((index) => source.seal('content', index, stream))
  await reads.end()
  await Promise.all(sealed)
  expect((await source.finish()).sha256).toEqual(noblePrimitives.sha256(content))
  expect(reads.begun).toHaveLength(CHUNKS.length)
})

it('[FI10] chunks that are opened out of order are hashed in order, and none of them is read again', async () => {
  const source: ByteSource = { read: async (_part, offset) => chunkAt(offset), check: ended, close: ended }
  const sealing = new SealingSource(noblePrimitives, manifest, source)
  const sealed = await Promise.all(CHUNKS.map((index) => sealing.seal('content', index, stream)))
  const openings = new Reversed()
  const { aesGcmOpen } = noblePrimitives
  const primitives = { ...noblePrimitives, aesGcmOpen: (...each: Parameters<typeof aesGcmOpen>) => openings.run(() => aesGcmOpen(...each)) }
  let again = 0
  const read = async (offset: number): Promise<Uint8Array> => {
    again += 1
    return chunkAt(offset)
  }
  const recorded = async () => ({ leaves: new Uint8Array(), moved: 0 })
  const bytes: ByteSink = { recorded, read, write: ended, record: ended, commit: async () => '', close: ended }
  const sink = await OpeningSink.open(primitives, planOf(manifest), bytes)
  const written = sealed.map((each, index) => sink.write(index, stream, each))
  await openings.end()
  await Promise.all(written)
  expect(await sink.finish()).toEqual(await sealing.finish())
  expect(again).toBe(0)
})
