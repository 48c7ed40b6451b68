/** Looks at what is to be sent: files and folders by their paths. Their media types are told elsewhere. Runs in the worker. */
import { createHash, randomUUID } from 'node:crypto'
import { lstatSync, mkdirSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { encodeFolderList, type FolderEntry, MAX_FOLDER_ENTRIES, SkeinError, type SourceDescription } from '@skein/core'
import { foldedName, MAX_DEPTH, numberedName, safeName } from '@skein/core/files'
import { codeOf, unreadable, unwritable } from './explain.ts'
import { gone, mountsOf, type Root } from './gone.ts'
import { listedNames, namesIn, type OnDisk, pathIn } from './listed-names.ts'
import type { SourcePlace } from './source-place.ts'

type Folder = Pick<Extract<SourcePlace, { kind: 'folder' }>, 'roots' | 'mounts'>

/** @param stateFolder for lists of folders @throws SkeinError FILE_UNREADABLE, TOO_MANY_FILES, DISK_FULL */
export function describe(paths: readonly string[], stateFolder: string): SourceDescription {
  const [only] = paths
  if (paths.length === 1 && only !== undefined) {
    const stats = look(resolve(only), statSync)
    if (stats.isFile()) return describeFile(resolve(only), stats)
  }
  return describeFolder(paths, stateFolder)
}

/** Whole milliseconds: what goes into a manifest, and is compared later. */
export function modifiedAt({ mtimeMs }: Stats): number {
  return Math.max(0, Math.floor(mtimeMs))
}

function describeFile(path: string, stats: Stats): SourceDescription {
  const place: SourcePlace = { kind: 'file', path, modifiedAt: stats.mtimeMs, mounts: mountsBelow([path]) }
  const name = safeName(basename(path))
  const times = { size: stats.size, modifiedAt: modifiedAt(stats) }
  return { ...times, name, mediaType: '', place: JSON.stringify(place), folder: undefined }
}

function describeFolder(paths: readonly string[], stateFolder: string): SourceDescription {
  const roots = named(paths)
  const { entries, list } = listBelow(roots)
  const [first = 'folder'] = roots.keys()
  const name = roots.size === 1 ? first : `${first} … (${roots.size})`
  const place: SourcePlace = { kind: 'folder', roots: [...roots], list: keepList(list, stateFolder), mounts: mountsBelow(roots.values()) }
  const folder = { entries: entries.length, listBytes: list.length, listDigest: digestOf(list) }
  const size = entries.reduce((sum, entry) => sum + entry.size, 0)
  return { place: JSON.stringify(place), name, size, mediaType: '', modifiedAt: 0, folder }
}

function listBelow(roots: Iterable<readonly [string, string]>): { readonly entries: readonly FolderEntry[]; readonly list: Uint8Array } {
  const entries: FolderEntry[] = []
  for (const [name, path] of roots) walk(path, [name], entries)
  return { entries, list: encodeFolderList(entries) }
}

function digestOf(list: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(list).digest())
}

/**
 * The list that a folder was offered with. It goes with the first recipient who has everything; for a later device it is made
 * again. @throws SkeinError FILE_CHANGED when it is another now, FILE_UNREADABLE
 */
export function listAgain({ roots, mounts }: Folder, listDigest: Uint8Array): Uint8Array {
  for (const [, root] of roots) requireThere({ root, mounts })
  const { list } = listBelow(roots)
  const [[, root] = ['', '']] = roots
  if (!Buffer.from(listDigest).equals(digestOf(list))) throw gone(root, { root, mounts, cause: undefined })
  return list
}

/** Of folders that they are, or lie in. */
function mountsBelow(roots: Iterable<string>): string[] {
  return [...mountsOf(new Set([...roots].map((root) => (statSync(root).isDirectory() ? root : dirname(root)))))]
}

/** By names that are all different. */
function named(paths: readonly string[]): Map<string, string> {
  const roots = new Map<string, string>()
  const taken = new Set<string>()
  for (const path of new Set(paths.map((each) => resolve(each)))) {
    let name = safeName(basename(path))
    for (let count = 2; taken.has(foldedName(name)); count += 1) name = numberedName(safeName(basename(path)), count)
    taken.add(foldedName(name))
    roots.set(name, path)
  }
  return roots
}

function keepList(list: Uint8Array, stateFolder: string): string {
  const name = `${randomUUID()}.list`
  try {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
    writeFileSync(join(stateFolder, name), list, { mode: 0o600 })
  } catch (cause) {
    throw unwritable(stateFolder, cause)
  }
  return name
}

/** What was named itself is followed if it is a link; what lies below is not (FI14). */
function walk(path: OnDisk, segments: readonly string[], entries: FolderEntry[]): void {
  const stats = look(path, segments.length === 1 ? statSync : lstatSync)
  if (!stats.isFile() && !stats.isDirectory()) {
    if (segments.length === 1) throw neither(String(path))
    return
  }
  if (entries.length >= MAX_FOLDER_ENTRIES || segments.length > MAX_DEPTH) throw tooMany()
  const common = { path: segments, modifiedAt: modifiedAt(stats) }
  if (stats.isFile()) {
    entries.push({ ...common, kind: 'file', size: stats.size, executable: (stats.mode & 0o100) !== 0 })
    return
  }
  entries.push({ ...common, kind: 'folder', size: 0, executable: false })
  for (const [listed, name] of listedNames(list(path))) walk(pathIn(path, name), [...segments, listed], entries)
}

function requireThere({ root, mounts }: Root): void {
  try {
    statSync(root)
  } catch (cause) {
    throw codeOf(cause) === 'ENOENT' ? gone(root, { root, mounts, cause }) : unreadable(root, cause)
  }
}

function list(path: OnDisk): readonly OnDisk[] {
  try {
    return namesIn(path)
  } catch (cause) {
    throw unreadable(String(path), cause)
  }
}

function look(path: OnDisk, by: (path: OnDisk) => Stats): Stats {
  try {
    return by(path)
  } catch (cause) {
    throw unreadable(String(path), cause)
  }
}

/** A pipe or a device: below a folder it is left out, but whoever names it means it. */
function neither(path: string): SkeinError {
  return new SkeinError(
    'FILE_UNREADABLE',
    `«${path}» is neither a file nor a folder; what a program writes is sent through a pipe, as «-».`,
  )
}

function tooMany(): SkeinError {
  return new SkeinError('TOO_MANY_FILES', `At most ${MAX_FOLDER_ENTRIES} files in folders ${MAX_DEPTH} deep can be sent at once.`)
}
