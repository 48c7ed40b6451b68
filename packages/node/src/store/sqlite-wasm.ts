/** The store's driver for SQLite in WebAssembly, wherever its database is. */
import { searchText, SkeinError } from '@skein/core'
import sqlite3InitModule, { type BindingSpec, type Database, type Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { explainSqlite, openOn, type StoreSurroundings } from './open-on.ts'
import type { AnyDatabase } from './queries.ts'
import type { SqliteStore } from './sqlite-store.ts'
import { SEARCH_TEXT } from './store-driver.ts'

export interface WasmPlace {
  /** @throws Error of SQLite, or of the platform when the place is in use */
  open(sqlite3: Sqlite3Static): Promise<Database>
  /** Called with the whole database after each commit, for a place that does not outlive the page by itself. */
  readonly keep?: (image: Uint8Array) => Promise<void>
  /** SQLite's names of failures that, once the database is open in this place, mean that there is no room. */
  readonly full?: readonly string[]
  /** Whether the browser has deleted what was kept here, though the database is open. */
  readonly isGone?: () => Promise<boolean>
  /** Called when the database has been closed: the next one may open it at once. */
  readonly release?: () => void
}

export interface OpenWasmStoreOptions extends StoreSurroundings {
  readonly place: WasmPlace
  /** Most pages of 4 KiB; unlimited when left out. */
  readonly maxPages?: number
}

export interface WasmStore {
  readonly store: SqliteStore
  /** The whole database as it stands after the last commit that has resolved. */
  image(): Uint8Array
}

/** @throws SkeinError STORE_CORRUPT, STORE_LOCKED, DISK_FULL; also what `storageKey` throws */
export async function openWasmStore({ place, maxPages, ...surroundings }: OpenWasmStoreOptions): Promise<WasmStore> {
  let opened: Database | undefined
  try {
    const sqlite3 = await sqlite3InitModule()
    const database = await place.open(sqlite3)
    opened = database
    database.createFunction(SEARCH_TEXT, (_, text) => searchText(String(text)), { deterministic: true })
    const setUp = (): void => {
      for (const pragma of ['secure_delete = ON', 'foreign_keys = ON']) database.exec(`PRAGMA ${pragma}`)
      if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`)
    }
    setUp()
    const image = (): Uint8Array => sqlite3.capi.sqlite3_js_db_export(database)
    const goBack = (last: Uint8Array): void => {
      load(sqlite3, database, last)
      setUp()
    }
    const kept = place.keep === undefined ? undefined : new KeptImage(place.keep, { take: image, goBack, end: () => database.close() })
    const driver = {
      db: drizzle(async (text, params, method) => {
        try {
          return run(sqlite3, database, { text, params, method, full: place.full ?? [] })
        } catch (error) {
          if (await place.isGone?.()) throw Object.assign(new Error(String(error), { cause: error }), { code: 'SQLITE_IOERR' })
          throw error
        }
      }) as unknown as AnyDatabase,
      afterTurn: (work: () => void) => void setTimeout(work, 0),
      ...(kept === undefined ? {} : { afterCommit: () => kept.next() }),
      explain: (error: unknown) => (kept?.isOver ? neitherKept(error) : explainSqlite(error)),
      close: () => {
        database.close()
        place.release?.()
      },
    }
    const store = await openOn(driver, surroundings)
    kept?.begin()
    return { store, image }
  } catch (error) {
    opened?.close()
    place.release?.()
    throw explainSqlite(error)
  }
}

const neitherKept = (cause: unknown): SkeinError =>
  new SkeinError('STORE_CLOSED', 'There is no memory for what is stored; the database was closed.', { cause })

interface InMemory {
  take(): Uint8Array
  goBack(image: Uint8Array): void
  end(): void
}

/**
 * The last image that was kept: what a commit has left in memory counts only with its own. One that cannot be kept is
 * taken back, so that nothing that was refused is shown, sent or acknowledged; where even that fails, the database is closed.
 */
class KeptImage {
  private readonly keep: (image: Uint8Array) => Promise<void>
  private readonly database: InMemory
  private last: Uint8Array = new Uint8Array()
  isOver = false

  constructor(keep: KeptImage['keep'], database: InMemory) {
    this.keep = keep
    this.database = database
  }

  /** From the database as it was opened on. */
  begin(): void {
    this.last = this.database.take()
  }

  async next(): Promise<void> {
    try {
      const image = this.database.take()
      await this.keep(image)
      this.last = image
    } catch (error) {
      this.goBack()
      throw error
    }
  }

  private goBack(): void {
    try {
      this.database.goBack(this.last)
    } catch {
      this.isOver = true
      this.database.end()
    }
  }
}

/** A database in memory. @param image as `WasmStore.image` gave it; an empty one when left out */
export function inMemory(image?: Uint8Array, keep?: WasmPlace['keep']): WasmPlace {
  const open = async (sqlite3: Sqlite3Static): Promise<Database> => {
    const database = new sqlite3.oo1.DB(':memory:')
    if (image !== undefined) load(sqlite3, database, image)
    return database
  }
  return keep === undefined ? { open } : { open, keep }
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
  readonly full: readonly string[]
}

/** One statement, its rows as arrays, the way drizzle's proxy wants them. @throws Error with SQLite's name of the failure as its `code` */
function run(sqlite3: Sqlite3Static, database: Database, { text, params, method, full }: Statement): { rows: unknown[] } {
  try {
    const bind = params.length === 0 ? {} : { bind: params as BindingSpec }
    const rows: unknown[] = database.exec({ sql: text, ...bind, rowMode: 'array', returnValue: 'resultRows' })
    // drizzle takes a missing row for none, an empty one for a row of nothing.
    return { rows: method === 'get' ? (rows[0] as unknown[]) : rows }
  } catch (error) {
    const { resultCode } = error as { resultCode?: number }
    if (resultCode === undefined) throw error
    const code = sqlite3.capi.sqlite3_js_rc_str(resultCode)
    throw Object.assign(new Error(String(error), { cause: error }), { code: full.includes(code) ? 'SQLITE_FULL' : code })
  }
}
