/** The store's driver for Node.js. */
import { chmodSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Clock, isSkeinError, SkeinError } from '@skein/core'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import { MIGRATIONS } from './migrations.gen.ts'
import { openSeal, type StorageKeySource } from './open-seal.ts'
import type { AnyDatabase } from './queries.ts'
import { RowSeal } from './row-seal.ts'
import { SqliteStore, type StoreDriver } from './sqlite-store.ts'
import { compareUse } from './use-count.ts'
import { useMarkFile } from './use-mark-file.ts'

/** How a database file is opened. FULL: a commit that has resolved survives loss of power, not only of the process. */
const PRAGMAS = ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'secure_delete = ON', 'foreign_keys = ON'] as const

/** File beside the database that tells an old copy from the one in use. */
const USE_MARK = 'storage.use'

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
    const db = drizzle(opened)
    migrate(db)
    const driver = {
      db: db as unknown as AnyDatabase,
      afterTurn: (work: () => void) => void setImmediate(work),
      explain: explainSqlite,
      close: () => void opened.close(),
    }
    return await openSealed(driver, { ...options, storageKey })
  } catch (error) {
    sqlite?.close()
    throw explainSqlite(error)
  }
}

/** A new key is kept safe before there is a database to lose with it. */
async function keyBeforeDatabase({ path, storageKey }: OpenStoreOptions): Promise<StorageKeySource> {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return storageKey
  const key = await storageKey('new')
  return () => Promise.resolve(key)
}

function openFile({ path, maxPages }: OpenStoreOptions): Database.Database {
  const opened = new Database(path, { timeout: 0 })
  try {
    if (process.platform !== 'win32') chmodSync(path, 0o600)
    for (const pragma of PRAGMAS) opened.pragma(pragma)
    if (maxPages !== undefined) opened.pragma(`max_page_count = ${maxPages}`)
    return opened
  } catch (error) {
    opened.close()
    throw error
  }
}

async function openSealed(driver: StoreDriver, { path, storageKey, clock = systemClock }: OpenStoreOptions): Promise<SqliteStore> {
  const makeSeal = (key: Uint8Array): RowSeal => new RowSeal(nativePrimitives, systemRandom, key)
  const { seal, wasClear } = await openSeal(driver.db, storageKey, makeSeal)
  const mark = useMarkFile(join(dirname(path), USE_MARK))
  const restored = await compareUse(driver.db, mark, (error) => isSkeinError(explainSqlite(error), 'DISK_FULL'))
  const store = new SqliteStore(driver, { seal, mark, clock, restored })
  if (restored || wasClear) await store.purge()
  return store
}

/** Runs what is missing. drizzle's own migrate() wants a folder; this takes the bundled list (drizzle-orm 0.45, internal API). */
function migrate(db: ReturnType<typeof drizzle>): void {
  const internal = db as unknown as { dialect: { migrate(migrations: unknown, session: unknown, config: unknown): void }; session: unknown }
  internal.dialect.migrate(MIGRATIONS, internal.session, { migrationsFolder: '' })
}

const SENTENCES = {
  SQLITE_BUSY: ['STORE_LOCKED', 'Another Skein is running on this data directory; stop it first or choose another with --data-dir.'],
  SQLITE_LOCKED: ['STORE_LOCKED', 'Another Skein is running on this data directory; stop it first or choose another with --data-dir.'],
  SQLITE_FULL: ['DISK_FULL', 'The disk is full; nothing was lost, but nothing more can be stored until there is room.'],
  SQLITE_CORRUPT: ['STORE_CORRUPT', 'The database in the data directory is damaged; restore a backup or choose another data directory.'],
  SQLITE_NOTADB: [
    'STORE_CORRUPT',
    'The file skein.sqlite in the data directory is not a database; restore a backup or choose another data directory.',
  ],
  SQLITE_READONLY: ['DATA_DIR_READ_ONLY', 'The data directory cannot be written.'],
  EACCES: ['DATA_DIR_READ_ONLY', 'The data directory cannot be written.'],
  EPERM: ['DATA_DIR_READ_ONLY', 'The data directory cannot be written.'],
  EROFS: ['DATA_DIR_READ_ONLY', 'The data directory cannot be written.'],
  ENOSPC: ['DISK_FULL', 'The disk is full; nothing was lost, but nothing more can be stored until there is room.'],
  SQLITE_CANTOPEN: ['DATA_DIR_READ_ONLY', 'The database cannot be opened: the data directory is missing or cannot be written.'],
} as const

/** A failure of SQLite, or of a file beside it, as one of ours; anything else as it is. */
export function explainSqlite(error: unknown): unknown {
  const code = codeOf(error)
  const known = Object.entries(SENTENCES).find(([name]) => code === name || code.startsWith(`${name}_`))
  if (known === undefined) return error
  const [, [ours, sentence]] = known
  return new SkeinError(ours, sentence, { cause: error })
}

/** SQLite's own code, also from inside what drizzle wraps around it; a missing folder is refused before SQLite is asked. */
function codeOf(error: unknown): string {
  const { code, cause, message } = error as { code?: unknown; cause?: { code?: unknown }; message?: unknown }
  if (/directory does not exist/.test(String(message))) return 'SQLITE_CANTOPEN'
  return String(cause?.code ?? code ?? '')
}
