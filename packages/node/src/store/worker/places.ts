/** Where a browser keeps the database: in the origin's private files, or, where an origin has none, as an image in IndexedDB. */
import { SkeinError } from '@skein/core'
import type { Database, Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { get, set } from 'idb-keyval'
import { inMemory, type WasmPlace } from '../sqlite-wasm.ts'
import { records } from './records.ts'

const DATABASE = '/skein.sqlite'

/** The origin's private file system. It takes one connection; a second tab is refused. */
export function privateFiles(name: string): WasmPlace {
  const open = async (sqlite3: Sqlite3Static): Promise<Database> => {
    try {
      const pool = await sqlite3.installOpfsSAHPoolVfs({ name: `skein-${name}`, directory: `/skein-${name}` })
      const database = new pool.OpfsSAHPoolDb(DATABASE)
      database.exec('PRAGMA synchronous = FULL')
      return database
    } catch (cause) {
      if (!/Access Handle|NoModificationAllowed/i.test(String(cause))) throw cause
      throw new SkeinError('STORE_LOCKED', 'Skein is open in another tab of this browser.', { cause })
    }
  }
  return { open }
}

/** In memory; an image is kept after each commit, before that commit counts. */
export async function keptImage(name: string): Promise<WasmPlace> {
  const kept = records(name)
  return inMemory(await get<Uint8Array>('image', kept), async (take) => {
    try {
      await set('image', take(), kept)
    } catch (cause) {
      throw Object.assign(new Error('the image was not kept', { cause }), isQuota(cause) ? { code: 'SQLITE_FULL' } : {})
    }
  })
}

function isQuota(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError'
}
