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
  // Browsers call it done before anything has reached the disk unless they are asked not to.
  const options: IDBTransactionOptions = { durability: 'strict' }
  return async (mode, work) => work((await current()).transaction(RECORDS, mode, options).objectStore(RECORDS))
}

/** Database and folder of what is sent and received, apart from what is urgent. */
export const filesName = (name: string): string => `skein-${name}-files`

/** Record of the key that opens the database: the key itself, or sealed with a passphrase. */
export const STORAGE_KEY = 'storage-key'

/** There while a backup is put into a database, or it is about to be deleted: what is in it then is nobody's. */
export const RESTORING = 'restoring'

/** Where the database is, from its first opening on. */
export const PLACE = 'place'

export async function isSealedWithPassphrase(name: string): Promise<boolean> {
  const record = await get<unknown>(STORAGE_KEY, records(name))
  return record !== undefined && !(record instanceof Uint8Array)
}
