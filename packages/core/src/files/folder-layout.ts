/** Where the entries of a folder lie in its content, and under which names they are put (FI14 to FI17). */
import { SkeinError } from '../errors/index.ts'
import type { FolderEntry } from '../wire/files.ts'
import { MAX_DEPTH } from './limits.ts'
import { foldedName, numberedName, requireSegment, safeName } from './safe-names.ts'

export interface PlacedEntry {
  /** Safe, and no two alike on any file system. */
  readonly path: readonly string[]
  readonly kind: 'file' | 'folder'
  /** Where its bytes begin in the content. */
  readonly offset: number
  readonly size: number
  readonly modifiedAt: number
  readonly executable: boolean
}

/** Part of one file. */
export interface FileSpan {
  /** In `entries`. */
  readonly entry: number
  /** Within the file. */
  readonly offset: number
  readonly length: number
}

export interface FolderLayout {
  readonly entries: readonly PlacedEntry[]
  readonly size: number
}

/** @param size of the content, by the manifest @throws SkeinError BAD_FRAME for paths that lead elsewhere, contradict, or sizes that do not add up */
export function layOut(entries: readonly FolderEntry[], size: number): FolderLayout {
  const names = new Names()
  let offset = 0
  const placed = entries.map((entry) => {
    const at = offset
    offset += entry.size
    if (entry.kind === 'folder' && entry.size > 0) throw new SkeinError('BAD_FRAME', 'A folder cannot have bytes of its own.')
    return { ...entry, path: names.place(entry), offset: at }
  })
  if (offset !== size) throw new SkeinError('BAD_FRAME', 'The files of a folder do not add up to its size.')
  return { entries: placed, size }
}

/** One file as a folder of its own. */
export function layOutFile(entry: Omit<FolderEntry, 'path' | 'kind'> & { readonly name: string }): FolderLayout {
  const { name, ...rest } = entry
  return { entries: [{ ...rest, kind: 'file', path: [safeName(name)], offset: 0 }], size: entry.size }
}

/** The parts of files in `length` bytes from `offset` on, in order; empty files have none. */
export function spansOf({ entries }: FolderLayout, offset: number, length: number): FileSpan[] {
  const spans: FileSpan[] = []
  const end = offset + length
  for (let at = firstBehind(entries, offset); at < entries.length; at += 1) {
    const entry = entries[at]
    if (entry === undefined || entry.offset >= end) break
    const from = Math.max(offset, entry.offset)
    const to = Math.min(end, entry.offset + entry.size)
    if (to > from) spans.push({ entry: at, offset: from - entry.offset, length: to - from })
  }
  return spans
}

/** The first entry that ends behind `offset`. */
function firstBehind(entries: readonly PlacedEntry[], offset: number): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const entry = entries[middle]
    if (entry !== undefined && entry.offset + entry.size <= offset) low = middle + 1
    else high = middle
  }
  return low
}

interface Folder {
  /** By name as the sender has it. */
  readonly given: Map<string, Taken>
  /** Folded names that are taken. */
  readonly taken: Set<string>
  /** By folded name, the number that was not tried yet: many names may fold to one. */
  readonly next: Map<string, number>
}

function newFolder(): Folder {
  return { given: new Map(), taken: new Set(), next: new Map() }
}

/** Gives each entry a safe name that nothing beside it has, whatever the case. */
class Names {
  private readonly top = newFolder()

  place({ path, kind }: FolderEntry): readonly string[] {
    if (path.length === 0 || path.length > MAX_DEPTH)
      throw new SkeinError('BAD_FRAME', 'A folder lists a path of a length that there is not.')
    let folder: Folder = this.top
    return path.map((segment, depth) => {
      const isFolder = depth < path.length - 1 || kind === 'folder'
      const known = folder.given.get(requireSegment(segment)) ?? take(folder, segment, isFolder)
      // A file twice, or a file that is a folder too.
      if (known.folder === undefined ? known.used++ > 0 || isFolder : !isFolder) throw contradiction()
      if (known.folder !== undefined) folder = known.folder
      return known.name
    })
  }
}

interface Taken {
  readonly name: string
  readonly folder: Folder | undefined
  used: number
}

function take({ given, taken, next }: Folder, segment: string, isFolder: boolean): Taken {
  const safe = safeName(segment)
  const folded = foldedName(safe)
  let count = next.get(folded) ?? 1
  while (taken.has(foldedName(numberedName(safe, count)))) count += 1
  next.set(folded, count + 1)
  const name = numberedName(safe, count)
  taken.add(foldedName(name))
  const made: Taken = { name, folder: isFolder ? newFolder() : undefined, used: 0 }
  given.set(segment, made)
  return made
}

function contradiction(): SkeinError {
  return new SkeinError('BAD_FRAME', 'A folder lists the same path twice.')
}
