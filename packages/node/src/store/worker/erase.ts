/** Deletes what one identity has in a browser. */
import { filesName } from './records.ts'

/** Looks for the end of who has the files open; a worker that was ended needs a moment. */
const FILE_TRIES = 20
const FILE_WAIT_MS = 100
/** For others to close their records, ms. */
const RECORDS_WITHIN_MS = 5_000

/** Deletes what one identity has in this browser: nothing of it where a client has it open. @throws Error */
export async function erase(name: string): Promise<void> {
  for (const each of [`skein-${name}`, filesName(name)]) await eraseNamed(each)
}

async function eraseNamed(name: string): Promise<void> {
  const folder = await (navigator as Partial<Navigator>).storage?.getDirectory?.().catch(() => undefined)
  if (folder !== undefined) await eraseFolder(folder, name)
  await new Promise<void>((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(name)
    deleting.onsuccess = () => resolve()
    deleting.onblocked = () => setTimeout(() => reject(new Error('the records are open elsewhere')), RECORDS_WITHIN_MS)
    deleting.onerror = () => reject(deleting.error ?? new Error('the records were not deleted'))
  })
}

async function eraseFolder(root: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await root.removeEntry(name, { recursive: true })
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotFoundError') return
      if (tried === FILE_TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, FILE_WAIT_MS))
    }
  }
}
