/** Puts a folder beside what is there: nothing is overwritten, and nothing mixed with what has the same name. */
import { numberedName, type ReceivedFile } from '@skein/node/browser/files'

/** @param write puts content into a new file @throws DOMException when it cannot be written */
export async function saveInto(
  top: FileSystemDirectoryHandle,
  files: readonly ReceivedFile[],
  write: (file: FileSystemFileHandle, content: Blob) => Promise<void>,
): Promise<void> {
  const names = new Map<string, string>()
  for (const { path, content } of files) {
    const [first = '', ...rest] = path
    const name = names.get(first) ?? (await freeName(top, first))
    names.set(first, name)
    const all = [name, ...rest]
    let folder = top
    const folders = content === undefined ? all : all.slice(0, -1)
    for (const each of folders) folder = await folder.getDirectoryHandle(each, { create: true })
    if (content !== undefined) await write(await folder.getFileHandle(all.at(-1) ?? name, { create: true }), content)
  }
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
