/** Reads files for sending. Runs in the worker; all calls are synchronous there. */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type ByteSource, decodeFolderList, type FileManifest, type FilePart, type FolderEntry, type FolderLayout } from '@skein/core'
import { layOut, layOutFile, spansOf } from '@skein/core/files'
import type { ChunkBuffers } from './chunk-buffers.ts'
import { listAgain, modifiedAt } from './describe.ts'
import { changed, codeOf, unreadable } from './explain.ts'
import { gone } from './gone.ts'
import { ListedPaths, type OnDisk } from './listed-names.ts'
import type { SourcePlace } from './source-place.ts'

const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants

interface OpenFile {
  readonly entry: number
  readonly fd: number
}

export class FileByteSource implements ByteSource {
  private layout: FolderLayout
  /** A stream's copy, which grows. */
  private stream: FileManifest['stream']
  /** By entry. */
  private readonly paths: readonly string[]
  /** Where an entry is that has another name on the disk. */
  private readonly search: (entry: number) => OnDisk | undefined
  /** What was named itself, of an entry. */
  private readonly rootOf: (entry: number) => string
  private readonly mounts: readonly string[]
  private readonly list: Uint8Array
  private readonly buffers: ChunkBuffers
  private open: OpenFile | undefined

  /** @throws SkeinError FILE_CHANGED, FILE_UNREADABLE */
  constructor(
    place: SourcePlace,
    manifest: FileManifest,
    { stateFolder, buffers }: { readonly stateFolder: string; readonly buffers: ChunkBuffers },
  ) {
    this.buffers = buffers
    this.mounts = place.mounts
    this.stream = manifest.stream
    if (place.kind === 'file') {
      this.list = new Uint8Array()
      this.layout = layOutFile({ ...manifest, executable: false })
      this.paths = [place.path]
      this.search = () => undefined
      this.rootOf = () => place.path
    } else {
      this.list = readList(join(stateFolder, place.list)) ?? listAgain(place, manifest.folder?.listDigest ?? new Uint8Array())
      const entries = decodeFolderList(this.list)
      this.layout = layOut(entries, manifest.size)
      const roots = new Map(place.roots)
      this.paths = entries.map((entry) => pathOf(entry, roots))
      this.rootOf = (at) => roots.get(entries[at]?.path[0] ?? '') ?? ''
      const listed = new ListedPaths()
      this.search = (at) => listed.find(this.rootOf(at), entries[at]?.path.slice(1) ?? [])
    }
  }

  /** A stream is a single file. */
  grow(manifest: FileManifest): void {
    this.stream = manifest.stream
    this.layout = layOutFile({ ...manifest, executable: false })
  }

  async read(part: FilePart, offset: number, length: number): Promise<Uint8Array> {
    if (part === 'list') return this.list.subarray(offset, offset + length)
    const bytes = this.buffers.take(length)
    let at = 0
    for (const span of spansOf(this.layout, offset, length)) {
      this.readInto(bytes.subarray(at, at + span.length), span)
      at += span.length
    }
    return bytes
  }

  /** Messages to this thread are taken up in between. */
  rest(): Promise<void> {
    return setImmediate()
  }

  done(bytes: Uint8Array): void {
    if (bytes.buffer !== this.list.buffer) this.buffers.give(bytes)
  }

  /** The last file is still what it was; the others were looked at when they were closed. */
  async check(): Promise<void> {
    this.closeFile()
  }

  async close(): Promise<void> {
    const { open } = this
    this.open = undefined
    if (open !== undefined) closeSync(open.fd)
  }

  private readInto(bytes: Uint8Array, { entry, offset }: { readonly entry: number; readonly offset: number }): void {
    const path = this.paths[entry] ?? ''
    const { fd } = this.open?.entry === entry ? this.open : this.openFile(entry)
    try {
      for (let at = 0; at < bytes.length; ) {
        const count = readSync(fd, bytes, at, bytes.length - at, offset + at)
        if (count === 0) throw changed(path)
        at += count
      }
    } catch (cause) {
      throw unreadable(path, cause)
    }
  }

  private openFile(entry: number): OpenFile {
    this.closeFile()
    const opened = { entry, fd: this.openListed(entry) }
    try {
      this.requireSame(opened)
    } catch (error) {
      closeSync(opened.fd)
      throw error
    }
    this.open = opened
    return opened
  }

  /** It may have another name on the disk than in the list. */
  private openListed(entry: number): number {
    const path = this.paths[entry] ?? ''
    // What was named itself may be a link; nothing that is opened makes this thread wait for somebody who writes.
    const flags = O_RDONLY | O_NONBLOCK | ((this.layout.entries[entry]?.path.length ?? 0) > 1 ? O_NOFOLLOW : 0)
    try {
      return openSync(existsSync(path) ? path : (this.search(entry) ?? path), flags)
    } catch (cause) {
      if (codeOf(cause) === 'ELOOP') throw changed(path)
      throw codeOf(cause) === 'ENOENT' ? gone(path, { root: this.rootOf(entry), mounts: this.mounts, cause }) : unreadable(path, cause)
    }
  }

  /** Size and time are those of the offer, before and after it was read; of a stream, what was told of is there. @throws SkeinError FILE_CHANGED */
  private requireSame({ entry, fd }: OpenFile): void {
    const described = this.layout.entries[entry]
    const stats = fstatSync(fd)
    const size = described?.size ?? -1
    const same = this.stream === undefined ? stats.size === size && modifiedAt(stats) === described?.modifiedAt : stats.size >= size
    if (!stats.isFile() || !same) throw changed(this.paths[entry] ?? '')
  }

  private closeFile(): void {
    const { open } = this
    if (open === undefined) return
    this.open = undefined
    try {
      this.requireSame(open)
    } finally {
      closeSync(open.fd)
    }
  }
}

/** `undefined` when it is there no more. */
function readList(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw unreadable(path, cause)
  }
}

function pathOf({ path: [root = '', ...rest] }: FolderEntry, roots: ReadonlyMap<string, string>): string {
  return join(roots.get(root) ?? '', ...rest)
}
