/** What file transfers need of a platform. Each port has a contract suite in `@skein/core/contracts`. */
import type { DeviceId } from '../ids.ts'
import type { FilePart } from '../wire/files.ts'
import type { FileManifest } from '../wire/manifest.ts'
import type { ChunkSet } from './chunk-plan.ts'
import type { ContentDigests } from './content-hash.ts'
import type { WantedChunk } from './recent-chunks.ts'
import type { StreamKey } from './stream-seal.ts'

/** An ordered, authenticated way for frames to one device: a libp2p stream, or a bulk connection. */
export interface FileLink {
  readonly peer: DeviceId
  /** Largest frame, in bytes. */
  readonly maxFrame: number
  /** Resolves when there is room for the next frame; `false` once it is closed. */
  send(frame: Uint8Array): Promise<boolean>
  /** Ends when either side closes. At most one reader; a slow one slows the sender. */
  frames(): AsyncIterable<Uint8Array>
  close(): void
}

/**
 * A raw connection for chunks alone. What comes out of it is proven by nothing but its seal: whoever is on the wire may
 * have changed it.
 */
export interface BulkLink {
  readonly peer: DeviceId
  readonly via: 'direct' | 'relay'
  /** Sealed bytes that may be on their way, where nothing else makes the sender wait. */
  readonly window?: number | undefined
  /** As of FileLink; the bytes must not change afterwards. */
  send(frame: Uint8Array): Promise<boolean>
  frames(): AsyncIterable<Uint8Array>
  close(): void
}

export interface BulkPort {
  /** `undefined` where there is none, within 20 s. @param mayRelay whether one over a relay will do */
  open(device: DeviceId, wish: { readonly mayRelay: boolean }): Promise<BulkLink | undefined>
  /** @param allows asked before one is opened. The returned function ends it. */
  handle(allows: (device: DeviceId) => boolean, onOpened: (link: BulkLink) => void): () => void
}

/** A raw connection in the hands of a source: chunks are read, sealed and sent where they are, and pass nobody else. */
export interface ChunkSender {
  /**
   * Chunks go out in the order of the calls.
   * @returns when there is room for the next one; `false` once the connection has ended
   * @throws SkeinError FILE_CHANGED, FILE_UNREADABLE
   */
  send(chunk: ChunkToSend): Promise<boolean>
}

export interface ChunkToSend extends WantedChunk {
  readonly stream: StreamKey
}

/** A raw connection in the hands of a sink. */
export interface ChunkReceiver {
  /**
   * Takes the next frame for a chunk, opens and writes it; frames go to the calls in their order.
   * @returns `unfit` for a frame of another length, `ended` where the connection has ended before
   * @throws SkeinError SEAL_BROKEN, DISK_FULL, FILE_UNREADABLE
   */
  receive(index: number, stream: StreamKey): Promise<'written' | 'unfit' | 'ended'>
}

/** What is to be sent, as the platform found it. */
export interface SourceDescription {
  /** The platform's own words for where it is; good after a restart. */
  readonly place: string
  readonly name: string
  readonly size: number
  readonly mediaType: string
  /** Milliseconds since 1970; 0 when unknown. */
  readonly modifiedAt: number
  /** Of several files or a folder. */
  readonly folder: FileManifest['folder']
}

export interface FilePlatform {
  /** @param paths of files and folders @throws SkeinError FILE_UNREADABLE, TOO_MANY_FILES, FILE_TOO_LARGE, DISK_FULL */
  describe(paths: readonly string[]): Promise<SourceDescription>
  /** What `openSource` takes for a single file that was received. */
  placeOf(path: string, manifest: FileManifest): string
  /** What `describe` was given. */
  pathsOf(place: string): readonly string[]
  /** @throws SkeinError FILE_CHANGED, FILE_UNREADABLE */
  openSource(place: string, manifest: FileManifest): Promise<ContentSource>
  /** Goes on with what is there of an earlier try. @throws SkeinError DISK_FULL, FILE_UNREADABLE, BAD_FRAME (of the list) */
  openSink(wish: SinkWish): Promise<ContentSink>
  /** Keeps the list of a folder that comes bit by bit, until the transfer is forgotten. Where it keeps none, the list is asked for again after a restart. @throws SkeinError DISK_FULL */
  keepList?(id: string, list: Uint8Array): Promise<void>
  /** What `keepList` has kept, as far as the disk is right. */
  keptList?(id: string): Promise<Uint8Array | undefined>
  /** The place that is meant when nothing is said. */
  defaultFolder(): string
  /** Forgets what was kept for sending, when nobody is to get it any more. */
  forgetSource(place: string): Promise<void>
  /** Removes what an earlier run has left of other transfers than these, and what could not be removed of those that have ended. */
  tidy?(kept: KeptTransfers): Promise<void>
  /** Where nothing but its transfer leads to what was received, it goes with that; elsewhere it is the user's. */
  removeReceived?(path: string): Promise<void>
  /** Forgets what is kept beside a transfer that has ended, and removes what is unfinished; as far as it is in reach. */
  forget(wish: Pick<SinkWish, 'id' | 'folder'>): Promise<void>
}

/** Transfers that are shown. */
export interface KeptTransfers {
  readonly ids: readonly string[]
  readonly places: readonly string[]
  /** Where something was put. */
  readonly paths: readonly string[]
  /** Those among them that were received, and have ended. */
  readonly ended: readonly Pick<SinkWish, 'id' | 'folder'>[]
}

export interface SinkWish {
  /** Names what is kept of it between tries. */
  readonly id: string
  readonly manifest: FileManifest
  /** Encoded list of a folder's entries, verified. */
  readonly list: Uint8Array | undefined
  /** Where it is put in the end. */
  readonly folder: string
}

/** Content that is sent. Chunks are read, hashed and sealed in one go, off the main thread where the platform can. */
export interface ContentSource {
  /** A sealed chunk. @throws SkeinError FILE_CHANGED (it was another when it was read before), FILE_UNREADABLE */
  seal(part: FilePart, index: number, stream: StreamKey): Promise<Uint8Array>
  /** Takes a raw connection over until it is closed, where the platform can; else it is as it was. */
  sendOver?(link: BulkLink): Promise<ChunkSender | undefined>
  /** More of a stream is known of, or its end; where the platform sends streams. */
  grow?(manifest: FileManifest): Promise<void>
  /** Hashes of all content; reads what was not read in order. @throws as seal */
  finish(): Promise<ContentDigests>
  close(): Promise<void>
}

/** Content that is received. */
export interface ContentSink {
  /** What is there and was found whole, when it was opened. */
  readonly present: ChunkSet
  /** Sealed bytes that had been received by then. */
  readonly moved: number
  /** More of a stream is known of, or its end: `present` has as many chunks. @throws SkeinError DISK_FULL */
  grow(manifest: FileManifest): Promise<void>
  /** Opens a chunk and writes it. @throws SkeinError SEAL_BROKEN, DISK_FULL, FILE_UNREADABLE (it cannot be written) */
  write(index: number, stream: StreamKey, sealed: Uint8Array): Promise<void>
  /** As ContentSource.sendOver. */
  receiveFrom?(link: BulkLink): Promise<ChunkReceiver | undefined>
  /** Hashes of all content, when all is there. @throws SkeinError FILE_DAMAGED */
  finish(): Promise<ContentDigests>
  /** Makes it durable under its final name, or the next that is free. @returns the path */
  commit(): Promise<string>
  /** Keeps what is there for a later try. */
  close(): Promise<void>
}

/** Bytes of a source, as a platform reads them; see SealingSource. */
export interface ByteSource {
  /** Exactly `length` bytes. @throws SkeinError FILE_CHANGED, FILE_UNREADABLE */
  read(part: FilePart, offset: number, length: number): Promise<Uint8Array>
  /** What `read` gave is looked at by nobody any more. */
  done?(bytes: Uint8Array): void
  /** Lets others have their turn, between many chunks; where each read does so, there is none. */
  rest?(): Promise<void>
  /** As of ContentSource. */
  grow?(manifest: FileManifest): void
  /** Whether all is as it was described. @throws SkeinError FILE_CHANGED, FILE_UNREADABLE */
  check(): Promise<void>
  close(): Promise<void>
}

/** Bytes of a sink, as a platform keeps them; see OpeningSink. */
export interface ByteSink {
  /** What was recorded: hash of each chunk, 32 bytes, zero where none was; `moved` as last told. */
  recorded(): Promise<{ readonly leaves: Uint8Array; readonly moved: number }>
  /** @param bytes the sink's from now on @throws SkeinError DISK_FULL, FILE_UNREADABLE */
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** As ContentSink.grow, where there is something to do. */
  grow?(manifest: FileManifest): void | Promise<void>
  /** Recorded after the write, and found after a kill. */
  record(index: number, leaf: Uint8Array, moved: number): Promise<void>
  /** May be shorter where less is there. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** As of ByteSource. */
  done?(bytes: Uint8Array): void
  /** As of ByteSource. */
  rest?(): Promise<void>
  /** As ContentSink.commit. */
  commit(): Promise<string>
  close(): Promise<void>
}
