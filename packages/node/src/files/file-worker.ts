/** Runs in a worker thread: reads, hashes, seals; opens, checks, writes. The main thread keeps to sockets. */
import { parentPort } from 'node:worker_threads'
import {
  type ContentDigests,
  type FileManifest,
  type FilePart,
  type SinkWish,
  SkeinError,
  type SourceDescription,
  type StreamKey,
} from '@skein/core'
import { OpeningSink, planOf, SealingSource } from '@skein/core/files'
import { expose, transfer } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { nativePrimitives } from '../platform/primitives.ts'
import { keepErrorCodes } from '../store/worker/error-transfer.ts'
import { describe } from './describe.ts'
import { FileByteSink } from './file-byte-sink.ts'
import { FileByteSource } from './file-byte-source.ts'
import type { OpenedSink } from './opened-sink.ts'

const sources = new Map<number, SealingSource>()
const sinks = new Map<number, OpeningSink>()
let handles = 0

const worker = {
  describe: (paths: readonly string[], stateFolder: string): SourceDescription => describe(paths, stateFolder),

  openSource(place: string, manifest: FileManifest, stateFolder: string): number {
    handles += 1
    sources.set(handles, new SealingSource(nativePrimitives, manifest, new FileByteSource(place, manifest, stateFolder)))
    return handles
  },
  async seal(handle: number, at: { readonly part: FilePart; readonly index: number; readonly stream: StreamKey }): Promise<Uint8Array> {
    const sealed = await opened(sources, handle).seal(at.part, at.index, at.stream)
    return transfer(sealed, [sealed.buffer as ArrayBuffer])
  },
  finishSource: (handle: number): Promise<ContentDigests> => opened(sources, handle).finish(),
  async closeSource(handle: number): Promise<void> {
    await sources.get(handle)?.close()
    sources.delete(handle)
  },

  async openSink(wish: SinkWish, stateFolder: string): Promise<OpenedSink> {
    const bytes = new FileByteSink(wish, stateFolder)
    try {
      const sink = await OpeningSink.open(nativePrimitives, planOf(wish.manifest), bytes)
      handles += 1
      sinks.set(handles, sink)
      return { handle: handles, missing: sink.present.missing(Number.POSITIVE_INFINITY), moved: sink.moved }
    } catch (error) {
      await bytes.close()
      throw error
    }
  },
  write: (handle: number, at: { readonly index: number; readonly stream: StreamKey }, sealed: Uint8Array): Promise<void> =>
    opened(sinks, handle).write(at.index, at.stream, sealed),
  finishSink: (handle: number): Promise<ContentDigests> => opened(sinks, handle).finish(),
  commit: (handle: number): Promise<string> => opened(sinks, handle).commit(),
  async closeSink(handle: number): Promise<void> {
    await sinks.get(handle)?.close()
    sinks.delete(handle)
  },
}
export type FileWorker = typeof worker

function opened<T>(all: ReadonlyMap<number, T>, handle: number): T {
  const found = all.get(handle)
  if (found === undefined) throw new SkeinError('STORE_CLOSED', 'What is asked for was closed.')
  return found
}

if (parentPort === null) throw new Error('this runs in a worker thread')
keepErrorCodes()
expose(worker, nodeEndpoint(parentPort))
