/** Runs in a dedicated worker: reading, hashing, sealing and writing of files, off the page's thread. */
import {
  type ContentDigests,
  type FileManifest,
  type FilePart,
  type KeptTransfers,
  type SinkWish,
  SkeinError,
  type SourceDescription,
} from '@skein/core'
import { OpeningSink, planOf, SealingSource, type StreamKey } from '@skein/core/files'
import { expose, transfer } from 'comlink'
import type { UseStore } from 'idb-keyval'
import { keepErrorCodes } from '../../store/worker/error-transfer.ts'
import type { OpenedSink } from '../opened-sink.ts'
import { fileRecords } from './kept.ts'
import { chunkCrypto } from './page-crypto.ts'
import { forgetReceiving, PageByteSink } from './page-byte-sink.ts'
import { describeChosen, PageByteSource } from './page-byte-source.ts'
import { tidyPage } from './tidying.ts'

const sources = new Map<number, SealingSource>()
const sinks = new Map<number, OpeningSink>()
const primitives = chunkCrypto((globalThis.crypto as Partial<Crypto>).subtle)
let handles = 0
let identity: { readonly name: string; readonly records: UseStore } | undefined

const worker = {
  /** Before anything else. @param name of the identity within the origin */
  begin(name: string): void {
    identity = { name, records: fileRecords(name) }
  },
  describe: (ids: readonly string[]): Promise<SourceDescription> => describeChosen(own().records, ids),

  async openSource(place: string, manifest: FileManifest): Promise<number> {
    const bytes = await PageByteSource.open(own(), place, manifest)
    handles += 1
    sources.set(handles, new SealingSource(primitives, manifest, bytes))
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

  async openSink(wish: SinkWish): Promise<OpenedSink> {
    const { name, records } = own()
    const bytes = await PageByteSink.open(name, records, wish)
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
  write: (handle: number, at: { readonly index: number; readonly stream: StreamKey }, sealed: Uint8Array): Promise<void> =>
    opened(sinks, handle).write(at.index, at.stream, sealed),
  finishSink: (handle: number): Promise<ContentDigests> => opened(sinks, handle).finish(),
  commit: (handle: number): Promise<string> => opened(sinks, handle).commit(),
  async closeSink(handle: number): Promise<void> {
    await sinks.get(handle)?.close()
    sinks.delete(handle)
  },
  tidy: (kept: KeptTransfers): Promise<void> => tidyPage({ ...own(), now: Date.now() }, kept),
  forget: (id: string): Promise<void> => forgetReceiving(own().name, own().records, id),
}
export type PageFileWorker = typeof worker

function own(): NonNullable<typeof identity> {
  if (identity === undefined) throw new SkeinError('STORE_CLOSED', 'The worker has not begun.')
  return identity
}

function opened<T>(all: ReadonlyMap<number, T>, handle: number): T {
  const found = all.get(handle)
  if (found === undefined) throw new SkeinError('STORE_CLOSED', 'What is asked for was closed.')
  return found
}

keepErrorCodes()
expose(worker)
