/** Reads what the user has chosen in a browser. Runs in the worker. */
import {
  type ByteSource,
  encodeFolderList,
  type FileManifest,
  type FilePart,
  type FolderEntry,
  SkeinError,
  type SourceDescription,
} from '@skein/core'
import { foldedName, MAX_DEPTH, numberedName, safeName } from '@skein/core/files'
import { noblePrimitives } from '@skein/core'
import type { UseStore } from 'idb-keyval'
import { changed, unreadable } from '../explain.ts'
import type { ChosenFile } from './kept.ts'
import { chosenFiles, filesAt, type Own } from './source-place.ts'

/** @param ids of what was chosen @throws SkeinError FILE_UNREADABLE, TOO_MANY_FILES */
export async function describeChosen(records: UseStore, ids: readonly string[]): Promise<SourceDescription> {
  const files = await chosenFiles(records, ids)
  if (files.length === 0) throw unreadable(ids.join(', '), { code: 'gone' })
  const place = JSON.stringify(ids)
  const [only] = files
  if (files.length === 1 && only?.path.length === 1 && only.file !== undefined) {
    const { name, size, type, lastModified } = only.file
    return { place, name: safeName(name), size, mediaType: type, modifiedAt: Math.max(0, lastModified), folder: undefined }
  }
  const entries = entriesOf(files)
  const list = encodeFolderList(entries)
  const roots = new Set(entries.map(({ path: [root = ''] }) => root))
  const [first = 'folder'] = roots
  const folder = { entries: entries.length, listBytes: list.length, listDigest: noblePrimitives.sha256(list) }
  const size = entries.reduce((sum, each) => sum + each.size, 0)
  return { place, name: roots.size === 1 ? first : `${first} … (${roots.size})`, size, mediaType: '', modifiedAt: 0, folder }
}

export class PageByteSource implements ByteSource {
  private readonly list: Uint8Array
  private readonly content: Blob
  private readonly name: string

  private constructor(manifest: FileManifest, files: readonly ChosenFile[]) {
    this.name = manifest.name
    this.list = manifest.folder === undefined ? new Uint8Array() : encodeFolderList(entriesOf(files))
    this.content = new Blob(files.flatMap(({ file }) => file ?? []))
    if (files.length === 0 || this.content.size !== manifest.size) throw changed(manifest.name)
  }

  /** @throws SkeinError FILE_CHANGED */
  static async open(own: Own, place: string, manifest: FileManifest): Promise<PageByteSource> {
    return new PageByteSource(manifest, await filesAt(own, place))
  }

  async read(part: FilePart, offset: number, length: number): Promise<Uint8Array> {
    if (part === 'list') return this.list.subarray(offset, offset + length)
    const bytes = await this.content
      .slice(offset, offset + length)
      .arrayBuffer()
      .catch(() => undefined)
    if (bytes?.byteLength !== length) throw changed(this.name)
    return new Uint8Array(bytes)
  }

  /** The browser keeps a copy, which nobody writes to. */
  async check(): Promise<void> {
    await Promise.resolve()
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }
}

/** In the order of the content; under names that are all different. */
function entriesOf(files: readonly ChosenFile[]): FolderEntry[] {
  const taken = new Set<string>()
  return files.map(({ path, file }) => {
    if (path.length > MAX_DEPTH) throw new SkeinError('TOO_MANY_FILES', `Folders can be sent up to ${MAX_DEPTH} deep.`)
    const folders = path.slice(0, -1).map(safeName)
    const name = freeName(taken, folders, safeName(path.at(-1) ?? ''))
    const { size = 0, lastModified = 0 } = file ?? {}
    const kind = file === undefined ? 'folder' : 'file'
    return { path: [...folders, name], kind, size, modifiedAt: Math.max(0, lastModified), executable: false }
  })
}

function freeName(taken: Set<string>, folders: readonly string[], name: string): string {
  const keyOf = (each: string): string => foldedName([...folders, each].join('/'))
  let count = 1
  while (taken.has(keyOf(numberedName(name, count)))) count += 1
  const free = numberedName(name, count)
  taken.add(keyOf(free))
  return free
}
