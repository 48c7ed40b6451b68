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

/** @param write puts content into a new file @throws Error `not-saved`; nothing of it is left then */
export async function saveInto(top: FileSystemDirectoryHandle, files: readonly SavedFile[], write: Write): Promise<void> {
  const names = new Map<string, string>()
  try {
    for (const { path, content } of files) {
      const [first = '', ...rest] = path
      const name = names.get(first) ?? (await freeName(top, first))
      names.set(first, name)
      const all = [name, ...rest]
      const folder = await folderAt(top, content === undefined ? all : all.slice(0, -1))
      if (content !== undefined) await write(await folder.getFileHandle(all.at(-1) ?? name, { create: true }), content)
    }
  } catch (cause) {
    for (const name of names.values()) await removeIfCan(() => top.removeEntry(name, { recursive: true }))
    throw notSaved(cause)
  }
}

async function folderAt(top: FileSystemDirectoryHandle, path: readonly string[]): Promise<FileSystemDirectoryHandle> {
  let folder = top
  for (const each of path) folder = await folder.getDirectoryHandle(each, { create: true })
  return folder
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
async function freeName(folder: FileSystemDirectoryHandle, name: string): Promise<string> {
  let count = 1
  while (await isTaken(folder, numberedName(name, count))) count += 1
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
