/** IndexedDB of one identity: small records beside the database. */
import { createStore, get, type UseStore } from 'idb-keyval'

/** @param name of the identity within the origin */
export function records(name: string): UseStore {
  return createStore(`skein-${name}`, 'records')
}

/** Database and folder of what is sent and received, apart from what is urgent. */
export const filesName = (name: string): string => `skein-${name}-files`

/** Record of the key that opens the database: the key itself, or sealed with a passphrase. */
export const STORAGE_KEY = 'storage-key'

export async function isSealedWithPassphrase(name: string): Promise<boolean> {
  const record = await get<unknown>(STORAGE_KEY, records(name))
  return record !== undefined && !(record instanceof Uint8Array)
}

/** Deletes what one identity has in this browser. Nothing may have it open. */
export async function erase(name: string): Promise<void> {
  for (const each of [`skein-${name}`, filesName(name)]) await eraseNamed(each)
}

async function eraseNamed(name: string): Promise<void> {
  const deleting = indexedDB.deleteDatabase(name)
  await new Promise<void>((resolve, reject) => {
    deleting.onsuccess = () => resolve()
    // Who still has it open loses it when the page goes.
    deleting.onblocked = () => resolve()
    deleting.onerror = () => reject(deleting.error ?? new Error('the records were not deleted'))
  })
  const folder = await (navigator as Partial<Navigator>).storage?.getDirectory?.().catch(() => undefined)
  await folder?.removeEntry(name, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error
  })
}
