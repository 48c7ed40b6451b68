/** The store's driver for Node.js. */
import { accessSync, chmodSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Clock, searchText } from '@skein/core'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import { explainSqlite, openOn } from './open-on.ts'
import type { StorageKeySource } from './open-seal.ts'
import type { AnyDatabase } from './queries.ts'
import type { SqliteStore } from './sqlite-store.ts'
import { type Bracket, SEARCH_TEXT } from './store-driver.ts'
import { useMarkFile } from './use-mark-file.ts'

/** How a database file is opened. FULL: a commit that has resolved survives loss of power, not only of the process. */
const PRAGMAS = ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'secure_delete = ON', 'foreign_keys = ON'] as const

/** File beside the database that tells an old copy from the one in use. */
const USE_MARK = 'storage.use'

const SURROUNDINGS = { primitives: nativePrimitives, random: systemRandom, clock: systemClock }

export interface OpenStoreOptions {
  readonly path: string
  /** Asked once; what it gives seals the keys in the database. */
  readonly storageKey: StorageKeySource
  /** Largest size of the file, in pages of 4 KiB; unlimited when left out. */
  readonly maxPages?: number
  readonly clock?: Pick<Clock, 'sleep'>
}

/** @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DATA_DIR_READ_ONLY, DISK_FULL; also what `storageKey` throws */
export async function openStore(options: OpenStoreOptions): Promise<SqliteStore> {
  let sqlite: Database.Database | undefined
  try {
    const storageKey = await keyBeforeDatabase(options)
    sqlite = openFile(options)
    const opened = sqlite
    const driver = {
      db: drizzle(opened) as unknown as AnyDatabase,
      bracket: brackets(opened),
      afterTurn: (work: () => void) => void setImmediate(work),
      explain: explainSqlite,
      close: () => void opened.close(),
    }
    const mark = useMarkFile(join(dirname(options.path), USE_MARK), options.path)
    return await openOn(driver, { ...SURROUNDINGS, ...options, storageKey, mark })
  } catch (error) {
    sqlite?.close()
    throw explainSqlite(error)
  }
}

function brackets(opened: Database.Database): (statement: Bracket) => void {
  const prepared = new Map<Bracket, Database.Statement>()
  return (statement) => {
    const known = prepared.get(statement) ?? opened.prepare(statement)
    prepared.set(statement, known)
    known.run()
  }
}

/** A new key is kept safe before there is a database to lose with it. */
async function keyBeforeDatabase({ path, storageKey }: OpenStoreOptions): Promise<StorageKeySource> {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return storageKey
  const key = await storageKey('new')
  return () => Promise.resolve(key)
}

function openFile({ path, maxPages }: OpenStoreOptions): Database.Database {
  // SQLite itself would call it a disk I/O error, and only at the first write.
  if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK)
  const opened = new Database(path, { timeout: 0 })
  try {
    if (process.platform !== 'win32') chmodSync(path, 0o600)
    for (const pragma of PRAGMAS) opened.pragma(pragma)
    opened.function(SEARCH_TEXT, { deterministic: true }, (text) => searchText(String(text)))
    if (maxPages !== undefined) opened.pragma(`max_page_count = ${maxPages}`)
    return opened
  } catch (error) {
    opened.close()
    throw error
  }
}
