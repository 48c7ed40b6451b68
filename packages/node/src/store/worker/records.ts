/** IndexedDB of one identity: small records beside the database. */
import { get, promisifyRequest, type UseStore } from 'idb-keyval'

const RECORDS = 'records'

/** Makes way for whoever deletes them. @param name of the identity within the origin */
export function records(name: string): UseStore {
  let opened: Promise<IDBDatabase> | undefined
  const open = async (): Promise<IDBDatabase> => {
    const request = indexedDB.open(`skein-${name}`)
    request.onupgradeneeded = () => request.result.createObjectStore(RECORDS)
    const database = await promisifyRequest(request)
    database.onclose = () => (opened = undefined)
    database.onversionchange = () => {
      opened = undefined
      database.close()
    }
    return database
  }
  const current = (): Promise<IDBDatabase> => {
    opened ??= open()
    opened.catch(() => (opened = undefined))
    return opened
  }
  return async (mode, work) => work((await current()).transaction(RECORDS, mode).objectStore(RECORDS))
}

/** Database and folder of what is sent and received, apart from what is urgent. */
export const filesName = (name: string): string => `skein-${name}-files`

/** Record of the key that opens the database: the key itself, or sealed with a passphrase. */
export const STORAGE_KEY = 'storage-key'

export async function isSealedWithPassphrase(name: string): Promise<boolean> {
  const record = await get<unknown>(STORAGE_KEY, records(name))
  return record !== undefined && !(record instanceof Uint8Array)
}

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
