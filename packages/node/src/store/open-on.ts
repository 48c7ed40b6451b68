/** What every driver does with an open database: migrations, seal, the look whether it is an old copy. */
import { type Clock, isSkeinError, type Primitives, type Random, SkeinError } from '@skein/core'
import { MIGRATIONS } from './migrations.gen.ts'
import { isSealed, openSeal, type StorageKeySource } from './open-seal.ts'
import type { AnyDatabase } from './queries.ts'
import { RowSeal } from './row-seal.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { StoreDriver } from './store-driver.ts'
import { compareUse, type UseMark } from './use-count.ts'

export interface StoreSurroundings {
  /** Asked once; what it gives seals the keys in the database. */
  readonly storageKey: StorageKeySource
  readonly primitives: Primitives
  readonly random: Random
  readonly clock: Pick<Clock, 'sleep'>
  readonly mark: UseMark
}

/** @throws SkeinError STORE_CORRUPT, DISK_FULL; also what `storageKey` throws */
export async function openOn(
  driver: StoreDriver,
  { storageKey, primitives, random, clock, mark }: StoreSurroundings,
): Promise<SqliteStore> {
  await migrate(driver.db)
  await refuseLost(driver.db, mark)
  const makeSeal = (key: Uint8Array): RowSeal => new RowSeal(primitives, random, key)
  const seal = await openSeal(driver.db, storageKey, makeSeal)
  const restored = await compareUse(driver.db, mark, (error) => isSkeinError(driver.explain(error), 'DISK_FULL'))
  const store = new SqliteStore(driver, { seal, mark, clock, restored })
  if (restored) await store.purge()
  return store
}

/**
 * A database that was never used beside the mark of one that was: it is gone, and a new one would be a new person.
 * @throws SkeinError STORE_CORRUPT
 */
async function refuseLost(db: AnyDatabase, mark: UseMark): Promise<void> {
  if ((await isSealed(db)) || (await mark.read()) === 0) return
  throw new SkeinError(
    'STORE_CORRUPT',
    'The database is gone or empty, though this data directory was in use; put it back, or begin anew in another data directory.',
  )
}

/** Runs what is missing. drizzle's own migrate() wants a folder; this takes the bundled list (drizzle-orm 0.45, internal API). */
async function migrate(db: AnyDatabase): Promise<void> {
  const internal = db as unknown as { dialect: { migrate(...args: readonly unknown[]): unknown }; session: unknown }
  await internal.dialect.migrate(MIGRATIONS, internal.session, { migrationsFolder: '' })
}

const IN_USE = 'Another Skein is running on this data directory; stop it first or choose another with --data-dir.'
const FULL = 'The disk is full; nothing was lost, but nothing more can be stored until there is room.'
const READ_ONLY = 'The data directory cannot be written.'

const SENTENCES = {
  SQLITE_BUSY: ['STORE_LOCKED', IN_USE],
  SQLITE_LOCKED: ['STORE_LOCKED', IN_USE],
  SQLITE_FULL: ['DISK_FULL', FULL],
  SQLITE_CORRUPT: ['STORE_CORRUPT', 'The database in the data directory is damaged; restore a backup or choose another data directory.'],
  SQLITE_NOTADB: [
    'STORE_CORRUPT',
    'The file skein.sqlite in the data directory is not a database; restore a backup or choose another data directory.',
  ],
  SQLITE_IOERR: ['STORE_CORRUPT', 'The database cannot be read or written: its files are damaged or gone.'],
  SQLITE_READONLY: ['DATA_DIR_READ_ONLY', READ_ONLY],
  EACCES: ['DATA_DIR_READ_ONLY', READ_ONLY],
  EPERM: ['DATA_DIR_READ_ONLY', READ_ONLY],
  EROFS: ['DATA_DIR_READ_ONLY', READ_ONLY],
  ENOSPC: ['DISK_FULL', FULL],
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
