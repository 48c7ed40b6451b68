/** Where a browser keeps the database: in the origin's private files, or, where an origin has none, as an image in IndexedDB. */
import { SkeinError } from '@skein/core'
import type { Database, Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { get, set, type UseStore } from 'idb-keyval'
import { browserRandom } from '../../platform/browser.ts'
import { inMemory, type WasmPlace } from '../sqlite-wasm.ts'
import { PLACE, records, STORAGE_KEY } from './records.ts'

const DATABASE = '/skein.sqlite'

export interface ChosenPlace {
  readonly place: WasmPlace
  /** It has been opened before, to the end: it is not empty. */
  readonly wasOpened: boolean
  /** From now on it is there, and nowhere else. */
  keep(): Promise<void>
}

/**
 * Where the database of an identity is; for a new one, where it can be best.
 * @throws Error while a browser that keeps it in private files does not give them: an empty one elsewhere would be another person
 */
export async function placeOf(name: string): Promise<ChosenPlace> {
  const kept = records(name)
  const noted = await get<'files' | 'image'>(PLACE, kept)
  const known = noted ?? (await unnoted(kept))
  const hasFiles = await hasPrivateFiles()
  if (known === 'files' && !hasFiles) throw new Error('the browser does not give the files that the database is in')
  const where = known ?? (hasFiles ? 'files' : 'image')
  const place = where === 'files' ? privateFiles(name) : await keptImage(name)
  return { place, wasOpened: noted !== undefined, keep: () => set(PLACE, where, kept) }
}

/** Older versions noted no place: a key without an image is that of files. */
async function unnoted(kept: UseStore): Promise<'files' | undefined> {
  const [key, image] = [await get(STORAGE_KEY, kept), await get(OWNER, kept)]
  return key !== undefined && image === undefined ? 'files' : undefined
}

/** Only on a secure origin; some browsers refuse them to private windows when they are asked for. */
async function hasPrivateFiles(): Promise<boolean> {
  if (typeof FileSystemFileHandle === 'undefined' || !('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return false
  return navigator.storage.getDirectory().then(
    () => true,
    () => false,
  )
}

/** The origin's private file system. It takes one connection; a second tab is refused. */
export function privateFiles(name: string): WasmPlace {
  let release = (): void => undefined
  const open = async (sqlite3: Sqlite3Static): Promise<Database> => {
    try {
      // Without this, whoever comes while another still has a file open deletes them all.
      const wish = { name: `skein-${name}`, directory: `/skein-${name}`, preserveOnInitFailure: true }
      const pool = await sqlite3.installOpfsSAHPoolVfs(wish)
      release = () => void pool.pauseVfs()
      const database = new pool.OpfsSAHPoolDb(DATABASE)
      database.exec('PRAGMA synchronous = FULL')
      return database
    } catch (cause) {
      if (!/Access Handle|NoModificationAllowed/i.test(String(cause))) throw cause
      throw new SkeinError('STORE_LOCKED', 'Skein is open in another tab of this browser.', { cause })
    }
  }
  // While the files are held open, what fails are writes for which there is no room: of a page, or of a journal's beginning.
  return { open, full: ['SQLITE_IOERR', 'SQLITE_CANTOPEN'], isGone: () => hasNoFolder(name), release: () => release() }
}

/** Somebody, or the browser itself, has cleared the origin's files: what is still held open leads nowhere. */
async function hasNoFolder(name: string): Promise<boolean> {
  const isThere = async (): Promise<boolean> => {
    await (await navigator.storage.getDirectory()).getDirectoryHandle(`skein-${name}`)
    return true
  }
  return !(await isThere().catch(() => false))
}

const IMAGE = 'image'
/** Who opened the image last. */
const OWNER = 'image-owner'

/**
 * In memory; an image is kept after each commit, before that commit counts. It belongs to whoever opened it last: a tab
 * that was frozen while another took over would else put its old state, with keys that are used up, over the new one.
 */
export async function keptImage(name: string): Promise<WasmPlace> {
  const kept = records(name)
  const owner = browserRandom.bytes(16).join()
  const place = inMemory(await claim(kept, owner), (image) => keep(kept, { owner, image }))
  return { ...place, isGone: async () => (await get(OWNER, kept)) === undefined }
}

/** Takes the image over, in one transaction with reading it: nothing is kept in between. */
function claim(kept: UseStore, owner: string): Promise<Uint8Array | undefined> {
  return kept('readwrite', (records) => {
    records.put(owner, OWNER)
    const asked: IDBRequest<Uint8Array | undefined> = records.get(IMAGE)
    return ended(records.transaction).then(() => asked.result)
  })
}

/** @throws Error with the code SQLite would have: no room, deleted, or another has taken the image over */
async function keep(kept: UseStore, { owner, image }: { readonly owner: string; readonly image: Uint8Array }): Promise<void> {
  let by: unknown
  try {
    await kept('readwrite', (records) => {
      const asked: IDBRequest<unknown> = records.get(OWNER)
      asked.onsuccess = () => {
        by = asked.result
        if (by === owner) records.put(image, IMAGE)
      }
      return ended(records.transaction)
    })
  } catch (cause) {
    throw Object.assign(new Error('the image was not kept', { cause }), isQuota(cause) ? { code: 'SQLITE_FULL' } : {})
  }
  if (by === undefined) throw Object.assign(new Error('the image was deleted'), { code: 'SQLITE_IOERR' })
  if (by !== owner) throw Object.assign(new Error('the image has another owner'), { code: 'SQLITE_BUSY' })
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'))
  })
}

function isQuota(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError'
}
