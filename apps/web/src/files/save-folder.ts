/** Puts a folder beside what is there: nothing is overwritten, and nothing mixed with what has the same name. */
import { numberedName, type ReceivedFile } from '@skein/node/browser/files'

/** What a folder that is saved has in it. */
type SavedFile = Pick<ReceivedFile, 'path' | 'content'>
type Write = (file: FileSystemFileHandle, content: Blob) => Promise<void>

/** Content into a file that the user has named. @throws Error `not-saved`; nothing is left under the name then */
export async function saveOnto(file: FileSystemFileHandle, content: Blob, write: Write): Promise<void> {
  try {
    await write(file, content)
  } catch (cause) {
    await removeIfCan(() => (file as Removable).remove?.())
    throw notSaved(cause)
  }
}

/**
 * @param write puts content into a new file
 * @returns what was saved under another name, for the browser refuses its own: names as they are there
 * @throws Error `not-saved`; nothing of it is left then
 */
export async function saveInto(top: FileSystemDirectoryHandle, files: readonly SavedFile[], write: Write): Promise<readonly string[]> {
  const place = new Place(top, files)
  try {
    for (const { path, content } of files) {
      if (content === undefined) await place.folder(path)
      else await write(await place.file(path), content)
    }
    return place.renamed
  } catch (cause) {
    for (const name of place.tops) await removeIfCan(() => top.removeEntry(name, { recursive: true }))
    throw notSaved(cause)
  }
}

type Make<T> = (folder: FileSystemDirectoryHandle, name: string) => Promise<T>

/** Where all of it goes, under names that are free and that the browser takes. */
class Place {
  readonly renamed: string[] = []
  /** Names beside what was there before. */
  readonly tops: string[] = []
  private readonly top: FileSystemDirectoryHandle
  /** By their paths as given. */
  private readonly folders = new Map<string, FileSystemDirectoryHandle>()
  /** All paths as given, which nothing else may take. */
  private readonly given: ReadonlySet<string>

  constructor(top: FileSystemDirectoryHandle, files: readonly SavedFile[]) {
    this.top = top
    this.given = new Set(files.flatMap(({ path }) => path.map((_, at) => path.slice(0, at + 1).join('/'))))
  }

  file(path: readonly string[]): Promise<FileSystemFileHandle> {
    return this.make(path, (folder, name) => folder.getFileHandle(name, { create: true }))
  }

  async folder(path: readonly string[]): Promise<FileSystemDirectoryHandle> {
    if (path.length === 0) return this.top
    const known = this.folders.get(path.join('/'))
    const folder = known ?? (await this.make(path, (above, name) => above.getDirectoryHandle(name, { create: true })))
    this.folders.set(path.join('/'), folder)
    return folder
  }

  /** Browsers refuse names by which Windows does more than open a file, as `a.url`, and say so by a TypeError. */
  private async make<T>(path: readonly string[], make: Make<T>): Promise<T> {
    const folder = await this.folder(path.slice(0, -1))
    const name = path.at(-1) ?? ''
    const making = (as: string): Promise<T> => {
      if (path.length === 1) this.tops.push(as)
      return make(folder, as)
    }
    try {
      return await making(path.length === 1 ? await freeName(folder, name) : name)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
    const isGiven = (other: string): boolean => this.given.has([...path.slice(0, -1), other].join('/'))
    const other = await freeName(folder, `${name}_`, isGiven)
    this.renamed.push(other)
    return making(other)
  }
}

/** As browsers have it that offer pickers. */
interface Removable extends FileSystemFileHandle {
  remove?(): Promise<void>
}

/** The disk may be away altogether. */
async function removeIfCan(remove: () => Promise<void> | undefined): Promise<void> {
  await Promise.resolve(remove()).catch(() => undefined)
}

function notSaved(cause: unknown): Error {
  return Object.assign(new Error('it cannot be written there', { cause }), { code: 'not-saved' })
}

/** `name`, or the first number that is free. */
async function freeName(folder: FileSystemDirectoryHandle, name: string, isReserved = (_name: string): boolean => false): Promise<string> {
  let count = 1
  while (isReserved(numberedName(name, count)) || (await isTaken(folder, numberedName(name, count)))) count += 1
  return numberedName(name, count)
}

/** By a file or a folder: asked for the wrong one, it says so. */
async function isTaken(folder: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  try {
    await folder.getFileHandle(name)
    return true
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return false
    if (error instanceof DOMException && error.name === 'TypeMismatchError') return true
    throw error
  }
}
