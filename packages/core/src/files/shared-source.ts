/** One opening of a source for all who fetch the same content: read once, sealed once, under one key. */
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { FilePart } from '../wire/files.ts'
import type { FileManifest } from '../wire/manifest.ts'
import type { ContentDigests } from './content-hash.ts'
import type { ContentSource } from './file-ports.ts'
import { SHARED_BYTES } from './limits.ts'
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
  /** The last chunks, for others who are at the same place. */
  private readonly recent = new Map<string, Promise<Uint8Array>>()
  private readonly mostRecent: number
  private digests: Promise<ContentDigests> | undefined

  constructor(deps: SourceDeps, manifest: FileManifest, source: ContentSource) {
    this.deps = deps
    this.source = source
    this.salts = { content: deps.random.bytes(32), list: deps.random.bytes(32) }
    const stream = (part: FilePart): StreamKey => deriveStreamKey(deps.primitives, manifest.key, { salt: this.salts[part], part })
    this.streams = { content: stream('content'), list: stream('list') }
    this.mostRecent = Math.floor(SHARED_BYTES / manifest.chunkSize)
  }

  /** @param isShared whether others may want it too @throws as ContentSource.seal */
  chunk(part: FilePart, index: number, isShared: boolean): Promise<Uint8Array> {
    const name = `${part} ${index}`
    const known = this.recent.get(name)
    if (known !== undefined) return known
    const made = this.source.seal(part, index, this.streams[part])
    if (isShared) this.keep(name, made)
    return made
  }

  private keep(name: string, made: Promise<Uint8Array>): void {
    this.recent.set(name, made)
    made.catch(() => this.recent.delete(name))
    const oldest = this.recent.keys().next().value
    if (this.recent.size > this.mostRecent && oldest !== undefined) this.recent.delete(oldest)
  }

  /** Root of the hash tree, sealed in the stream. */
  async sealedRoot(): Promise<Uint8Array> {
    return sealRoot(this.deps.primitives, this.streams.content, (await this.finish()).root)
  }

  finish(): Promise<ContentDigests> {
    this.digests ??= this.source.finish()
    return this.digests
  }

  close(): Promise<void> {
    this.recent.clear()
    return this.source.close()
  }
}

/** Sources that are open, by the key of their content; closed when nobody uses them any more. */
export class SourcePool {
  private readonly open = new Map<string, { readonly source: Promise<SharedSource>; users: number }>()

  /** @param name of the content @param make opens it */
  async use<T>(
    name: string,
    make: () => Promise<SharedSource>,
    work: (source: SharedSource, isShared: () => boolean) => Promise<T>,
  ): Promise<T> {
    const entry = this.open.get(name) ?? { source: make(), users: 0 }
    this.open.set(name, entry)
    entry.users += 1
    try {
      return await work(await entry.source, () => entry.users > 1)
    } finally {
      entry.users -= 1
      if (entry.users === 0) {
        this.open.delete(name)
        await entry.source.then((source) => source.close()).catch(() => undefined)
      }
    }
  }
}
