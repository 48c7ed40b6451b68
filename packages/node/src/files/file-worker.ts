/** Runs in a worker thread: reads, hashes, seals; opens, checks, writes. The main thread keeps to sockets. */
import { parentPort } from 'node:worker_threads'
import {
  type ChunkToSend,
  type ContentDigests,
  type FileManifest,
  type FilePart,
  type SinkWish,
  SkeinError,
  type SourceDescription,
  type StreamKey,
} from '@skein/core'
import { CHUNK_TAG_BYTES, chunkLength, OpeningSink, planOf, RecentChunks, SealingSource } from '@skein/core/files'
import { expose, transfer } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { largeAesGcm } from '../platform/large-aes-gcm.ts'
import { nativeHashes } from '../platform/native-hashes.ts'
import { keepErrorCodes } from '../store/worker/error-transfer.ts'
import { ChunkBuffers } from './chunk-buffers.ts'
import { describe } from './describe.ts'
import type { SourcePlace } from './source-place.ts'
import { FileByteSink } from './file-byte-sink.ts'
import { FileByteSource } from './file-byte-source.ts'
import type { OpenedSink } from './opened-sink.ts'
import { RawLanes } from './raw-lanes.ts'

const sources = new Map<number, { readonly source: SealingSource; readonly recent: RecentChunks }>()
const sinks = new Map<number, OpeningSink>()
const buffers = new ChunkBuffers()
const lanes = new RawLanes(buffers)
const primitives = { ...nativeHashes, ...largeAesGcm((length) => buffers.take(length)) }
let handles = 0

const worker = {
  adopt: ({ handle }: { readonly handle: object }): number => lanes.adopt(handle),
  closeLane: (lane: number): void => lanes.close(lane),

  describe: (paths: readonly string[], stateFolder: string): SourceDescription => describe(paths, stateFolder),

  openSource(place: SourcePlace, manifest: FileManifest, stateFolder: string): number {
    handles += 1
    const source = new SealingSource(primitives, manifest, new FileByteSource(place, manifest, { stateFolder, buffers }))
    sources.set(handles, { source, recent: new RecentChunks(manifest.chunkSize) })
    return handles
  },
  async seal(handle: number, at: { readonly part: FilePart; readonly index: number; readonly stream: StreamKey }): Promise<Uint8Array> {
    const sealed = await opened(sources, handle).source.seal(at.part, at.index, at.stream)
    return transfer(sealed, [sealed.buffer as ArrayBuffer])
  },
  async send(handle: number, lane: number, chunk: ChunkToSend): Promise<boolean> {
    const { source, recent } = opened(sources, handle)
    return lanes.send(lane, () => recent.get(chunk, () => source.seal(chunk.part, chunk.index, chunk.stream)))
  },
  growSource: (handle: number, manifest: FileManifest): Promise<void> => opened(sources, handle).source.grow(manifest),
  finishSource: (handle: number): Promise<ContentDigests> => opened(sources, handle).source.finish(),
  async closeSource(handle: number): Promise<void> {
    await sources.get(handle)?.source.close()
    sources.delete(handle)
  },

  async openSink(wish: SinkWish, stateFolder: string): Promise<OpenedSink> {
    const bytes = new FileByteSink(wish, { stateFolder, buffers })
    try {
      const sink = await OpeningSink.open(primitives, planOf(wish.manifest), bytes)
      handles += 1
      sinks.set(handles, sink)
      return { handle: handles, missing: sink.present.missing(Number.POSITIVE_INFINITY), moved: sink.moved }
    } catch (error) {
      await bytes.close()
      throw error
    }
  },
  growSink: (handle: number, manifest: FileManifest): Promise<void> => opened(sinks, handle).grow(manifest),
  async write(handle: number, at: Placed, sealed: Uint8Array): Promise<void> {
    await opened(sinks, handle).write(at.index, at.stream, sealed)
    // It came from the main thread: its memory is free again at once, and not when somebody collects.
    buffers.give(sealed)
  },
  receive: (handle: number, lane: number, { index, stream }: Placed): Promise<'written' | 'unfit' | 'ended'> => {
    const sink = opened(sinks, handle)
    return lanes.receive(lane, chunkLength(sink.plan, index) + CHUNK_TAG_BYTES, (sealed) => sink.write(index, stream, sealed))
  },
  finishSink: (handle: number): Promise<ContentDigests> => opened(sinks, handle).finish(),
  commit: (handle: number): Promise<string> => opened(sinks, handle).commit(),
  async closeSink(handle: number): Promise<void> {
    await sinks.get(handle)?.close()
    sinks.delete(handle)
  },
}
export type FileWorker = typeof worker

interface Placed {
  readonly index: number
  readonly stream: StreamKey
}

function opened<T>(all: ReadonlyMap<number, T>, handle: number): T {
  const found = all.get(handle)
  if (found === undefined) throw new SkeinError('STORE_CLOSED', 'What is asked for was closed.')
  return found
}

if (parentPort === null) throw new Error('this runs in a worker thread')
keepErrorCodes()
expose(worker, nodeEndpoint(parentPort))
