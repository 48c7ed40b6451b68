/** Deletes what one identity has in a browser. */
import { SkeinError } from '@skein/core'
import { filesName } from './records.ts'

/** Looks for the end of who has the files open; a worker that was ended needs a moment. */
const FILE_TRIES = 20
const FILE_WAIT_MS = 100
/** For others to close their records, ms. */
const RECORDS_WITHIN_MS = 5_000

/**
 * Deletes what one identity has in this browser: no file of it where a client has the database open. Last the records, which
 * say that the rest is nobody's.
 * @throws SkeinError STORE_LOCKED
 */
export async function erase(name: string): Promise<void> {
  const [own, files] = [`skein-${name}`, filesName(name)]
  const folder = await (navigator as Partial<Navigator>).storage?.getDirectory?.().catch(() => undefined)
  if (folder !== undefined) for (const each of [own, files]) await eraseFolder(folder, each)
  for (const each of [files, own]) await eraseRecords(each)
}

const isOpen = (cause?: unknown): SkeinError => new SkeinError('STORE_LOCKED', 'Skein is open in another tab of this browser.', { cause })

async function eraseRecords(name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(name)
    deleting.onsuccess = () => resolve()
    deleting.onblocked = () => setTimeout(() => reject(isOpen()), RECORDS_WITHIN_MS)
    deleting.onerror = () => reject(deleting.error ?? new Error('the records were not deleted'))
  })
}

async function eraseFolder(root: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await root.removeEntry(name, { recursive: true })
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotFoundError') return
      if (tried === FILE_TRIES) throw isOpen(error)
      await new Promise((resolve) => setTimeout(resolve, FILE_WAIT_MS))
    }
  }
}
