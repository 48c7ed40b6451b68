/** The store's driver for Node.js. */
import { chmodSync } from 'node:fs'
import { SkeinError, type Store } from '@skein/core'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { AnyDatabase } from './queries.ts'
import { MIGRATIONS } from './migrations.gen.ts'
import { SqliteStore } from './sqlite-store.ts'

/** How a database file is opened. FULL: a commit that has resolved survives loss of power, not only of the process. */
const PRAGMAS = ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'secure_delete = ON', 'foreign_keys = ON'] as const

export interface OpenStoreOptions {
  readonly path: string
  /** Largest size of the file, in pages of 4 KiB; unlimited when left out. */
  readonly maxPages?: number
}

/** @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DATA_DIR_READ_ONLY, DISK_FULL */
export async function openStore({ path, maxPages }: OpenStoreOptions): Promise<Store> {
  let sqlite: Database.Database | undefined
  try {
    sqlite = new Database(path, { timeout: 0 })
    const opened = sqlite
    if (process.platform !== 'win32') chmodSync(path, 0o600)
    for (const pragma of PRAGMAS) opened.pragma(pragma)
    if (maxPages !== undefined) opened.pragma(`max_page_count = ${maxPages}`)
    const db = drizzle(opened)
    migrate(db)
    const driver = {
      db: db as unknown as AnyDatabase,
      afterTurn: (work: () => void) => void setImmediate(work),
      explain: explainSqlite,
      close: () => void opened.close(),
    }
    return new SqliteStore(driver)
  } catch (error) {
    sqlite?.close()
    throw explainSqlite(error)
  }
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
  SQLITE_CANTOPEN: ['DATA_DIR_READ_ONLY', 'The database cannot be opened: the data directory is missing or cannot be written.'],
} as const

/** A failure of SQLite as one of ours; anything else as it is. */
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
