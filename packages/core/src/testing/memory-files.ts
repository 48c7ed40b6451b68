/** Files in memory: a platform for tests, with a disk that may be full and files that change. */
import {
  type BulkLink,
  CHUNK_TAG_BYTES,
  type ChunkPlan,
  type ChunkReceiver,
  type ChunkSender,
  chunkLength,
  type ByteSink,
  type ByteSource,
  type ContentSink,
  type ContentSource,
  type FilePlatform,
  LEAF_BYTES,
  layOutFile,
  numberedName,
  OpeningSink,
  planOf,
  SealingSource,
  type SinkWish,
  type SourceDescription,
} from '../files/index.ts'
import { layOut } from '../files/folder-layout.ts'
import { SkeinError } from '../errors/index.ts'
import { noblePrimitives } from '../e2ee/primitives.ts'
import type { Primitives } from '../ports/primitives.ts'
import { decodeFolderList, encodeFolderList, type FilePart, type FolderEntry } from '../wire/files.ts'
import type { FileManifest } from '../wire/manifest.ts'

interface Part {
  bytes: Uint8Array
  leaves: Uint8Array
  moved: number
}

/** Paths have `/` between segments; a folder is all that begins with its path. */
export class MemoryFiles implements FilePlatform {
  readonly files = new Map<string, Uint8Array>()
  /** What is received and not whole yet, by transfer; stays over a restart. */
  readonly parts = new Map<string, Part>()
  /** Lists of folders that are kept; they stay too. */
  readonly lists = new Map<string, Uint8Array>()
  full = false
  /** The disk that things are written to refuses. */
  unwritable = false
  /** What is sent cannot be read for the moment. */
  away: 'FILE_UNREADABLE' | 'STORE_CLOSED' | undefined
  /** How long a step takes. */
  before: (step: 'open' | 'write' | 'commit') => Promise<void> = () => Promise.resolve()
  /** Takes raw connections over, as a platform with threads does. */
  holdsRaw = false
  private readonly primitives: Primitives

  constructor(primitives: Primitives = noblePrimitives) {
    this.primitives = primitives
  }

  async describe(paths: readonly string[]): Promise<SourceDescription> {
    const [only = ''] = paths
    const bytes = this.files.get(only)
    const common = { mediaType: '', modifiedAt: 0, place: JSON.stringify(paths) }
    if (paths.length === 1 && bytes !== undefined) return { ...common, name: lastOf(only), size: bytes.length, folder: undefined }
    const list = encodeFolderList(this.entriesOf(paths))
    const entries = decodeFolderList(list)
    if (entries.length === 0) throw new SkeinError('FILE_UNREADABLE', 'There is nothing of this name.')
    const folder = { entries: entries.length, listBytes: list.length, listDigest: this.primitives.sha256(list) }
    return { ...common, name: lastOf(only), size: entries.reduce((sum, { size }) => sum + size, 0), folder }
  }

  private entriesOf(paths: readonly string[]): FolderEntry[] {
    return this.filesBelow(paths).map((path) => ({
      path: path.split('/'),
      kind: 'file',
      size: this.files.get(path)?.length ?? 0,
      modifiedAt: 0,
      executable: false,
    }))
  }

  private filesBelow(roots: readonly string[]): string[] {
    return [...this.files.keys()].filter((path) => roots.some((root) => path === root || path.startsWith(`${root}/`))).sort()
  }

  placeOf(path: string): string {
    return JSON.stringify([path])
  }

  pathsOf(place: string): readonly string[] {
    return JSON.parse(place) as string[]
  }

  async openSource(place: string, manifest: FileManifest): Promise<ContentSource> {
    const paths = this.filesBelow(JSON.parse(place) as string[])
    const list = encodeFolderList(this.entriesOf(JSON.parse(place) as string[]))
    const whole = (): Uint8Array => joined(paths.map((path) => this.files.get(path) ?? new Uint8Array()))
    const bytes: ByteSource = {
      read: async (part: FilePart, offset: number, length: number) => {
        if (this.away !== undefined) throw new SkeinError(this.away, 'It is away.')
        const all = part === 'list' ? list : whole()
        if (offset + length > all.length) throw new SkeinError('FILE_CHANGED', 'It is shorter now.')
        return all.slice(offset, offset + length)
      },
      check: async () => undefined,
      close: async () => undefined,
    }
    const source = new SealingSource(this.primitives, manifest, bytes)
    return this.holdsRaw ? Object.assign(source, { sendOver: async (link: BulkLink) => senderOn(source, link) }) : source
  }

  async openSink(wish: SinkWish): Promise<ContentSink> {
    const plan = planOf(wish.manifest)
    await this.before('open')
    const fresh = { bytes: new Uint8Array(plan.size), leaves: new Uint8Array(plan.count * LEAF_BYTES), moved: 0 }
    const part = this.parts.get(wish.id) ?? fresh
    this.parts.set(wish.id, part)
    lengthen(part, plan)
    const sink = await OpeningSink.open(this.primitives, plan, this.bytesOf(wish, part))
    return this.holdsRaw ? Object.assign(sink, { receiveFrom: async (link: BulkLink) => receiverOn(sink, link) }) : sink
  }

  private bytesOf(wish: SinkWish, part: Part): ByteSink {
    return {
      grow: (manifest) => lengthen(part, planOf(manifest)),
      recorded: async () => ({ leaves: part.leaves.slice(), moved: part.moved }),
      write: async (offset, bytes) => {
        await this.before('write')
        if (this.full) throw new SkeinError('DISK_FULL', 'The disk is full.')
        if (this.unwritable) throw new SkeinError('FILE_UNREADABLE', 'The disk is away.')
        part.bytes.set(bytes, offset)
      },
      record: async (index, leaf, moved) => {
        part.leaves.set(leaf, index * LEAF_BYTES)
        part.moved = moved
      },
      read: async (offset, length) => part.bytes.slice(offset, offset + length),
      commit: async () => {
        await this.before('commit')
        return this.commit({ ...wish, manifest: { ...wish.manifest, size: part.bytes.length } }, part)
      },
      close: async () => undefined,
    }
  }

  private commit({ manifest, list, folder }: SinkWish, { bytes }: Part): string {
    const layout = list === undefined ? layOutFile({ ...manifest, executable: false }) : layOut(decodeFolderList(list), manifest.size)
    const paths = layout.entries.map(({ path, offset, size }) => {
      const [top = '', ...rest] = path
      const free = this.freeName(folder, top)
      return [[folder, free, ...rest].join('/'), bytes.slice(offset, offset + size)] as const
    })
    for (const [path, content] of paths) this.files.set(path, content)
    return paths.length === 1 ? (paths[0]?.[0] ?? folder) : folder
  }

  private freeName(folder: string, name: string): string {
    let count = 1
    while (this.files.has(`${folder}/${numberedName(name, count)}`)) count += 1
    return numberedName(name, count)
  }

  defaultFolder(): string {
    return 'received'
  }

  forgetSource: FilePlatform['forgetSource'] = () => Promise.resolve()

  async keepList(id: string, list: Uint8Array): Promise<void> {
    this.lists.set(id, list.slice())
  }

  async keptList(id: string): Promise<Uint8Array | undefined> {
    return this.lists.get(id)
  }

  async forget({ id }: Pick<SinkWish, 'id' | 'folder'>): Promise<void> {
    this.parts.delete(id)
    this.lists.delete(id)
  }
}

/** More of a stream is known of. */
function lengthen(part: Part, { size, count }: ChunkPlan): void {
  part.bytes = joined([part.bytes, new Uint8Array(Math.max(0, size - part.bytes.length))])
  part.leaves = joined([part.leaves, new Uint8Array(Math.max(0, count * LEAF_BYTES - part.leaves.length))])
}

function senderOn(source: ContentSource, link: BulkLink): ChunkSender {
  return { send: async ({ part, index, stream }) => link.send(await source.seal(part, index, stream)) }
}

function receiverOn(sink: OpeningSink, link: BulkLink): ChunkReceiver {
  const frames = link.frames()[Symbol.asyncIterator]()
  return {
    receive: async (index, stream) => {
      const { value, done } = await frames.next()
      const sealed = value as Uint8Array
      if (done) return 'ended'
      if (sealed.length !== chunkLength(sink.plan, index) + CHUNK_TAG_BYTES) return 'unfit'
      await sink.write(index, stream, sealed)
      return 'written'
    },
  }
}

function lastOf(path: string): string {
  return path.split('/').at(-1) ?? path
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
