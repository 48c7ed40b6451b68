/** What the user has chosen, dropped or pasted, as files with their paths. */
import type { ChosenFile } from '@skein/node/browser/files'

/** Deeper or more than this is refused later; here it ends the walk. */
const MAX_WALKED = 200_001

/** What a file field holds; of a folder with the paths in it. */
export function filesIn(list: FileList | readonly File[]): ChosenFile[] {
  return [...list].map((file) => {
    const path = file.webkitRelativePath === '' ? [file.name] : file.webkitRelativePath.split('/')
    return { path, file }
  })
}

const FORMATTED = ['text/html', 'text/rtf']

/** Files that are pasted. Office programs put a picture of what is copied beside its text: that is text, and goes where text goes. */
export function pastedIn(data: DataTransfer): ChosenFile[] {
  // A file manager gives a text too, the file's name, but none with a format; a picture of a page has a format and no text.
  const isText = FORMATTED.some((type) => data.types.includes(type)) && data.getData('text/plain').trim() !== ''
  return isText ? [] : filesIn(data.files)
}

export interface Dropped {
  readonly entries: readonly FileSystemEntry[]
  readonly files: readonly File[]
}

/** To be called while the event is handled: its data are gone afterwards. */
export function droppedBy({ items, files }: DataTransfer): Dropped {
  const entries = [...items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry())
  return { entries: entries.filter((each) => each !== null), files: [...files] }
}

/** Files in what was dropped, folders with all that is in them, and folders that are empty. @throws DOMException when one cannot be read */
export async function walk({ entries, files }: Dropped): Promise<ChosenFile[]> {
  if (entries.length === 0) return filesIn(files)
  const found: ChosenFile[] = []
  for (const entry of entries) await walkOne(entry, [], found)
  return found
}

async function walkOne(entry: FileSystemEntry, above: readonly string[], found: ChosenFile[]): Promise<void> {
  if (found.length >= MAX_WALKED) return
  const path = [...above, entry.name]
  if (entry instanceof FileSystemFileEntry) {
    found.push({ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) })
  } else if (entry instanceof FileSystemDirectoryEntry) {
    const reader = entry.createReader()
    const before = found.length
    for (;;) {
      // It gives some at a time, and nothing at the end.
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
      if (some.length === 0) return found.length === before ? void found.push({ path, file: undefined }) : undefined
      for (const each of some) await walkOne(each, path, found)
    }
  }
}
