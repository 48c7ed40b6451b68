/**
 * The store's driver for SQLite in WebAssembly, in memory: for a page whose origin has no file system of its own. What
 * is to outlive the page is its image, which the page keeps elsewhere and gives back when it comes again.
 */
import type { Clock, Primitives, Random } from '@skein/core'
import sqlite3InitModule, { type BindingSpec, type Database, type Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { explainSqlite, openOn } from './open-on.ts'
import type { StorageKeySource } from './open-seal.ts'
import type { AnyDatabase } from './queries.ts'
import type { SqliteStore } from './sqlite-store.ts'
import type { UseMark } from './use-count.ts'

export interface OpenWasmStoreOptions {
  /** A database as `image()` gave it; a new one when left out. */
  readonly image?: Uint8Array
  readonly storageKey: StorageKeySource
  readonly primitives: Primitives
  readonly random: Random
  readonly clock: Pick<Clock, 'sleep'>
  /** Where the count of uses is kept apart from the image. */
  readonly mark: UseMark
  /** Most pages of 4 KiB; unlimited when left out. */
  readonly maxPages?: number
}

export interface WasmStore {
  readonly store: SqliteStore
  /** The whole database as it stands after the last commit that has resolved. */
  image(): Uint8Array
}

/** @throws SkeinError STORE_CORRUPT, DISK_FULL; also what `storageKey` throws */
export async function openWasmStore({ image, maxPages, ...surroundings }: OpenWasmStoreOptions): Promise<WasmStore> {
  const sqlite3 = await sqlite3InitModule()
  const opened = new sqlite3.oo1.DB(':memory:')
  try {
    if (image !== undefined) load(sqlite3, opened, image)
    for (const pragma of ['secure_delete = ON', 'foreign_keys = ON']) opened.exec(`PRAGMA ${pragma}`)
    if (maxPages !== undefined) opened.exec(`PRAGMA max_page_count = ${maxPages}`)
    const driver = {
      db: drizzle((text, params, method) => Promise.resolve(run(sqlite3, opened, { text, params, method }))) as unknown as AnyDatabase,
      afterTurn: (work: () => void) => void setTimeout(work, 0),
      explain: explainSqlite,
      close: () => opened.close(),
    }
    const store = await openOn(driver, surroundings)
    return { store, image: () => sqlite3.capi.sqlite3_js_db_export(opened) }
  } catch (error) {
    opened.close()
    throw explainSqlite(error)
  }
}

function load({ capi, wasm, SQLite3Error }: Sqlite3Static, database: Database, image: Uint8Array): void {
  const pointer = wasm.allocFromTypedArray(image)
  // The database frees the image and may outgrow it.
  const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_RESIZEABLE
  const result = capi.sqlite3_deserialize(database.pointer ?? 0, 'main', pointer, image.length, image.length, flags)
  if (result !== capi.SQLITE_OK) throw new SQLite3Error(result)
}

interface Statement {
  readonly text: string
  readonly params: readonly unknown[]
  readonly method: 'run' | 'all' | 'values' | 'get'
}

/** One statement, its rows as arrays, the way drizzle's proxy wants them. @throws Error with SQLite's name of the failure as its `code` */
function run(sqlite3: Sqlite3Static, database: Database, { text, params, method }: Statement): { rows: unknown[] } {
  try {
    const bind = params.length === 0 ? {} : { bind: params as BindingSpec }
    const rows: unknown[] = database.exec({ sql: text, ...bind, rowMode: 'array', returnValue: 'resultRows' })
    // drizzle takes a missing row for none, an empty one for a row of nothing.
    return { rows: method === 'get' ? (rows[0] as unknown[]) : rows }
  } catch (error) {
    const { resultCode } = error as { resultCode?: number }
    if (resultCode === undefined) throw error
    throw Object.assign(new Error(String(error), { cause: error }), { code: sqlite3.capi.sqlite3_js_rc_str(resultCode) })
  }
}
