/** One opening of a source for all who fetch the same content: read once, sealed once, under one key. */
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { FilePart } from '../wire/files.ts'
import type { FileManifest } from '../wire/manifest.ts'
import type { ContentDigests } from './content-hash.ts'
import type { BulkLink, ChunkSender, ChunkToSend, ContentSource } from './file-ports.ts'
import { SOURCE_RESTS_MS } from './limits.ts'
import { RecentChunks } from './recent-chunks.ts'
import { deriveStreamKey, sealRoot, type StreamKey } from './stream-seal.ts'

interface SourceDeps {
  readonly primitives: Pick<Primitives, 'hkdfSha256' | 'aesGcmSeal' | 'aesGcmOpen'>
  readonly random: Pick<Random, 'bytes'>
}

export class SharedSource {
  readonly salts: Readonly<Record<FilePart, Uint8Array>>
  private readonly deps: SourceDeps
  private readonly source: ContentSource
  private readonly streams: Readonly<Record<FilePart, StreamKey>>
  private readonly recent: RecentChunks
  private digests: Promise<ContentDigests> | undefined

  constructor(deps: SourceDeps, manifest: FileManifest, source: ContentSource) {
    this.deps = deps
    this.source = source
    this.salts = { content: deps.random.bytes(32), list: deps.random.bytes(32) }
    const stream = (part: FilePart): StreamKey => deriveStreamKey(deps.primitives, manifest.key, { salt: this.salts[part], part })
    this.streams = { content: stream('content'), list: stream('list') }
    this.recent = new RecentChunks(manifest.chunkSize)
  }

  /** @param isShared whether others may want it too @throws as ContentSource.seal */
  chunk(part: FilePart, index: number, isShared: boolean): Promise<Uint8Array> {
    return this.recent.get({ part, index, isShared }, () => this.source.seal(part, index, this.streams[part])).sealed
  }

  /** As ContentSource.sendOver. */
  async sendOver(link: BulkLink): Promise<ChunkSender | undefined> {
    return this.source.sendOver?.(link)
  }

  /** For a sender that this source has given. */
  order(part: FilePart, index: number, isShared: boolean): ChunkToSend {
    return { part, index, stream: this.streams[part], isShared }
  }

  /** Root of the hash tree, sealed in the stream. */
  async sealedRoot(): Promise<Uint8Array> {
    return sealRoot(this.deps.primitives, this.streams.content, (await this.finish()).root)
  }

  /** As ContentSource.grow. */
  async grow(manifest: FileManifest): Promise<void> {
    await this.source.grow?.(manifest)
  }

  /** Of a stream only once it has ended. */
  finish(): Promise<ContentDigests> {
    this.digests ??= this.source.finish()
    return this.digests
  }

  close(): Promise<void> {
    this.recent.clear()
    return this.source.close()
  }
}

interface OpenSource {
  readonly source: Promise<SharedSource>
  users: number
  /** Ends the wait before it is closed. */
  rest: AbortController
}

/**
 * Sources that are open, by the key of their content. What nobody uses any more stays open for a moment: the next request of
 * a recipient goes on where the last one ended, and what was hashed by then need not be read again.
 */
export class SourcePool {
  private readonly clock: Pick<Clock, 'sleep'>
  private readonly open = new Map<string, OpenSource>()

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.clock = clock
  }

  /** @param name of the content @param make opens it */
  async use<T>(
    name: string,
    make: () => Promise<SharedSource>,
    work: (source: SharedSource, isShared: () => boolean) => Promise<T>,
  ): Promise<T> {
    const entry = this.open.get(name) ?? { source: make(), users: 0, rest: new AbortController() }
    this.open.set(name, entry)
    entry.rest.abort()
    entry.users += 1
    let isWell = false
    try {
      const done = await work(await entry.source, () => entry.users > 1)
      isWell = true
      return done
    } finally {
      entry.users -= 1
      if (entry.users === 0 && isWell) void this.closeLater(name, entry)
      else if (entry.users === 0) await this.close(name, entry)
    }
  }

  /** More of a stream is known of. What cannot be read is opened anew, and knows of it then. */
  async grow(name: string, manifest: FileManifest): Promise<void> {
    const growing = this.open.get(name)?.source.then((source) => source.grow(manifest))
    await growing?.catch(() => undefined)
  }

  /** Nobody is to get it any more: it is closed now, or when its last user leaves it. */
  async drop(name: string): Promise<void> {
    const entry = this.open.get(name)
    if (entry?.users === 0) await this.close(name, entry)
  }

  stop(): void {
    for (const [name, entry] of this.open) if (entry.users === 0) void this.close(name, entry)
  }

  private async closeLater(name: string, entry: OpenSource): Promise<void> {
    entry.rest = new AbortController()
    const isOver = await this.clock.sleep(SOURCE_RESTS_MS, { signal: entry.rest.signal })
    if (isOver && entry.users === 0) await this.close(name, entry)
  }

  private async close(name: string, entry: OpenSource): Promise<void> {
    entry.rest.abort()
    if (this.open.get(name) !== entry) return
    this.open.delete(name)
    await entry.source.then((source) => source.close()).catch(() => undefined)
  }
}
