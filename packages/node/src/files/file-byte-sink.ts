/**
 * Keeps what is received: in a part beside the place it goes to, with a record of its chunks in the data directory, until it
 * is whole. Runs in the worker.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsync,
  futimesSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  utimesSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type ByteSink, decodeFolderList, type FileManifest, type FolderLayout, type SinkWish } from '@skein/core'
import { layOut, layOutFile, LEAF_BYTES, spansOf } from '@skein/core/files'
import type { ChunkBuffers } from './chunk-buffers.ts'
import { BLOCK_BYTES, LOOK_EVERY_FILES, SYNC_AT_ONCE } from './constants.ts'
import { diskAway, meddled, unwritable } from './explain.ts'
import { moveIntoPlace, syncFolder } from './final-name.ts'
import { areMounted } from './gone.ts'
import { requireFit } from './long-names.ts'
import { Marks } from './marks.ts'
import { PartFile, writeAll } from './part-file.ts'
import { type FreeBytes, Room } from './room.ts'
import { keepPlace, placeToGoOn, recordName } from './sink-place.ts'
import { whereItCan } from './where-it-can.ts'

/** Before the hashes in a record: sealed bytes received so far, as a double. */
const HEADER_BYTES = 8
const { O_RDWR, O_CREAT, O_NOFOLLOW = 0 } = constants

export const partName = (id: string): string => `.skein-${id}.part`
/** The list of a folder that comes over the mesh. */
export const entriesName = (id: string): string => `${id}.entries`
export const markName = (id: string): string => `${id}.final`

export interface FileByteSinkOptions {
  readonly stateFolder: string
  readonly buffers: ChunkBuffers
  readonly freeBytes?: FreeBytes | undefined
}

export class FileByteSink implements ByteSink {
  private readonly wish: SinkWish
  private readonly stateFolder: string
  private readonly buffers: ChunkBuffers
  private layout: FolderLayout
  private readonly part: string
  /** Where disks were mounted that it lies on when it was begun. */
  private readonly mounts: readonly string[]
  private readonly record_: number
  private readonly marks: Marks
  private readonly room: Room
  private readonly folders = new Set<string>()
  private readonly syncs = new Set<Promise<void>>()
  /** Also those that are left and have something under way: of each entry one, which alone knows its end. */
  private readonly files = new Map<number, PartFile>()
  private open: { readonly entry: number; readonly file: PartFile } | undefined

  /** @throws SkeinError DISK_FULL, FILE_UNREADABLE, NAME_TOO_LONG, BAD_FRAME (of the list) */
  constructor(wish: SinkWish, { stateFolder, buffers, freeBytes }: FileByteSinkOptions) {
    this.marks = new Marks(join(stateFolder, markName(wish.id)))
    this.buffers = buffers
    const { manifest, list, folder, id } = wish
    this.wish = wish
    this.room = new Room(folder, freeBytes)
    this.stateFolder = stateFolder
    this.layout = list === undefined ? layOutFile({ ...manifest, executable: false }) : layOut(decodeFolderList(list), manifest.size)
    this.part = join(folder, partName(id))
    try {
      mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
      const begun = placeToGoOn(stateFolder, id, folder)
      if (begun === 'away') throw diskAway(folder)
      mkdirSync(list === undefined ? folder : this.part, { recursive: true })
      this.mounts = (begun ?? keepPlace(stateFolder, id, folder)).mounts
      requireFit(list === undefined ? folder : this.part, this.layout.entries)
      this.record_ = openSync(join(stateFolder, recordName(id)), O_RDWR | O_CREAT, 0o600)
    } catch (cause) {
      throw unwritable(folder, cause)
    }
  }

  async recorded(): Promise<{ readonly leaves: Uint8Array; readonly moved: number }> {
    const bytes = this.wholeRecord()
    const hasHeader = bytes.length >= HEADER_BYTES
    const moved = hasHeader ? new DataView(bytes.buffer).getFloat64(0) : 0
    const leaves = bytes.subarray(hasHeader ? HEADER_BYTES : bytes.length)
    this.requireRoom(leaves)
    return { leaves, moved }
  }

  private wholeRecord(): Uint8Array<ArrayBuffer> {
    try {
      const bytes = new Uint8Array(fstatSync(this.record_).size)
      readSync(this.record_, bytes, 0, bytes.length, 0)
      return bytes
    } catch (cause) {
      throw unwritable(this.stateFolder, cause)
    }
  }

  /** A stream is a single file. */
  grow(manifest: FileManifest): void {
    this.room.require(manifest.size - this.layout.size)
    this.layout = layOutFile({ ...manifest, executable: false })
  }

  /** Looked at before anything is fetched. */
  private requireRoom(leaves: Uint8Array): void {
    let present = 0
    for (let at = 0; at + LEAF_BYTES <= leaves.length; at += LEAF_BYTES)
      if (leaves.subarray(at, at + LEAF_BYTES).some((byte) => byte !== 0)) present += this.wish.manifest.chunkSize
    const left = this.wish.manifest.size - present
    // Of empty files nothing is recorded.
    const share = this.wish.list === undefined ? 0 : this.wish.manifest.size === 0 ? 1 : left / this.wish.manifest.size
    const blocks = Math.ceil(share * this.layout.entries.length) * BLOCK_BYTES
    this.room.require(left + blocks)
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    let at = 0
    try {
      this.room.take(bytes.length)
      for (const span of spansOf(this.layout, offset, bytes.length)) {
        const part = bytes.subarray(at, at + span.length)
        at += span.length
        await this.fileOf(span.entry).write(part, span.offset)
      }
    } catch (cause) {
      throw unwritable(this.part, cause)
    }
    this.buffers.give(bytes)
  }

  async record(index: number, leaf: Uint8Array, moved: number): Promise<void> {
    const header = new Uint8Array(HEADER_BYTES)
    new DataView(header.buffer).setFloat64(0, moved)
    try {
      writeAll(this.record_, leaf, HEADER_BYTES + index * LEAF_BYTES)
      writeAll(this.record_, header, 0)
    } catch (cause) {
      throw unwritable(this.stateFolder, cause)
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = this.buffers.take(length)
    let at = 0
    for (const span of spansOf(this.layout, offset, length)) {
      const count = this.readInto(bytes.subarray(at, at + span.length), span)
      at += count
      if (count < span.length) break
    }
    return bytes.subarray(0, at)
  }

  /** Messages to this thread are taken up in between. */
  rest(): Promise<void> {
    return setImmediate()
  }

  done(bytes: Uint8Array): void {
    this.buffers.give(bytes)
  }

  private readInto(bytes: Uint8Array, { entry, offset }: { readonly entry: number; readonly offset: number }): number {
    if (!existsSync(this.pathOf(entry))) return 0
    let at = 0
    try {
      while (at < bytes.length) {
        const count = readSync(this.fileOf(entry).fd, bytes, at, bytes.length - at, offset + at)
        if (count === 0) break
        at += count
      }
    } catch (cause) {
      throw unwritable(this.part, cause)
    }
    return at
  }

  async commit(): Promise<string> {
    const { folder, list } = this.wish
    try {
      await this.finishFiles()
      const tops = [...new Set(this.layout.entries.map(({ path: [top = ''] }) => top))]
      const paths = tops.map((name) =>
        moveIntoPlace({ from: this.topOf(name), folder, name, told: this.marks.get(name), onName: (final) => this.marks.add(name, final) }),
      )
      if (list !== undefined) rmSync(this.part, { recursive: true, force: true })
      syncFolder(folder)
      const [only] = paths
      return paths.length === 1 && only !== undefined ? only : folder
    } catch (cause) {
      throw unwritable(folder, cause)
    }
  }

  async close(): Promise<void> {
    this.closeFile()
    closeSync(this.record_)
  }

  /** Folders and empty files, times, rights; and all bytes on the disk, of several files at once: one by one each waits for the disk. */
  private async finishFiles(): Promise<void> {
    this.closeFile()
    await Promise.all(this.syncs)
    const working = new Set<Promise<void>>()
    const failures: unknown[] = []
    for (const [at, { kind }] of this.layout.entries.entries()) {
      if (at % LOOK_EVERY_FILES === LOOK_EVERY_FILES - 1) this.room.require(0)
      if (kind === 'folder') this.makeFolder(this.pathOf(at))
      else {
        const work = this.finishFile(at)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => working.delete(work))
        working.add(work)
        if (working.size >= SYNC_AT_ONCE) await Promise.race(working)
      }
    }
    await Promise.all(working)
    if (failures.length > 0) throw failures[0]
    this.keepFolderTimes()
  }

  /** At last: what is made in a folder changes its time. */
  private keepFolderTimes(): void {
    for (const [at, { kind, modifiedAt }] of this.layout.entries.entries())
      if (kind === 'folder' && modifiedAt > 0) whereItCan(() => utimesSync(this.pathOf(at), modifiedAt / 1_000, modifiedAt / 1_000))
  }

  private async finishFile(at: number): Promise<void> {
    const entry = this.layout.entries[at]
    const path = this.pathOf(at)
    if (entry === undefined || (!existsSync(path) && this.finalOf(entry.path[0] ?? '') !== undefined)) return
    this.makeFolder(dirname(path))
    // What has bytes is there, unless somebody has removed it.
    const fd = openSync(path, O_RDWR | (entry.size === 0 ? O_CREAT : 0) | O_NOFOLLOW, 0o600)
    try {
      if (fstatSync(fd).size !== entry.size) throw meddled(path)
      if (entry.modifiedAt > 0) whereItCan(() => futimesSync(fd, entry.modifiedAt / 1_000, entry.modifiedAt / 1_000))
      // Its owner's right to run it is kept, as far as the owner here gives such rights.
      whereItCan(() => fchmodSync(fd, (entry.executable ? 0o777 : 0o666) & ~process.umask()))
      await new Promise<void>((resolve, reject) => fsync(fd, (error) => (error === null ? resolve() : reject(error))))
    } finally {
      closeSync(fd)
    }
  }

  private fileOf(entry: number): PartFile {
    if (this.open?.entry === entry) return this.open.file
    this.closeFile()
    const file = this.files.get(entry)?.take() ?? this.openFile(entry)
    this.open = { entry, file }
    return file
  }

  private openFile(entry: number): PartFile {
    const path = this.pathOf(entry)
    this.makeFolder(dirname(path))
    const file = new PartFile(
      path,
      (sync) => this.watch(sync),
      () => this.files.delete(entry),
    )
    this.files.set(entry, file)
    return file
  }

  private watch(sync: Promise<void>): void {
    this.syncs.add(sync)
    // One that fails stays, and fails the commit.
    sync.then(
      () => this.syncs.delete(sync),
      () => undefined,
    )
  }

  private closeFile(): void {
    const { open } = this
    this.open = undefined
    open?.file.leave()
  }

  private makeFolder(path: string): void {
    if (this.folders.has(path)) return
    // Nothing is begun anew below the folder where its disk was mounted.
    if (!areMounted(this.mounts)) throw diskAway(this.wish.folder)
    mkdirSync(path, { recursive: true })
    this.folders.add(path)
  }

  private pathOf(entry: number): string {
    const [top = '', ...rest] = this.layout.entries[entry]?.path ?? []
    return join(this.topOf(top), ...rest)
  }

  /** Where what is called `name` at the top is now: in the part, or in place already if the process ended just then. */
  private topOf(name: string): string {
    const inPart = this.wish.list === undefined ? this.part : join(this.part, name)
    const final = existsSync(inPart) ? undefined : this.finalOf(name)
    return final ?? inPart
  }

  private finalOf(name: string): string | undefined {
    const final = this.marks.get(name)
    return final !== undefined && existsSync(final) ? final : undefined
  }
}
