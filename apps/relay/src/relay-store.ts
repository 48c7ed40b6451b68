/** <data-dir>/relay.sqlite: what the relay remembers over a restart. */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import type { DurableEntries } from '@skein/node/swarm'
import Database from 'better-sqlite3'

/** Ms to wait for a predecessor that is just stopping. */
const LOCK_TIMEOUT_MS = 3_000
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS cards (
    key BLOB PRIMARY KEY, value BLOB NOT NULL, owner TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS cards_by_owner ON cards (owner);
  CREATE INDEX IF NOT EXISTS cards_by_expiry ON cards (expires_at);
`

export interface RelayStore extends Disposable {
  readonly database: Database.Database
  readonly entries: DurableEntries
}

/**
 * Opens the store for this process alone: two relays with one identity would shadow each other.
 * @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DATA_DIR_READ_ONLY
 */
export function openRelayStore(dataDir: string): RelayStore {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const file = join(dataDir, 'relay.sqlite')
    // Made here and not by SQLite, because it holds the key of the certificate and nobody else may read it.
    closeSync(openSync(file, 'a', 0o600))
    const database = new Database(file, { timeout: LOCK_TIMEOUT_MS })
    database.pragma('locking_mode = EXCLUSIVE')
    database.pragma('journal_mode = WAL')
    // A card is acknowledged only when it survives a power cut.
    database.pragma('synchronous = FULL')
    database.exec(SCHEMA)
    return { database, entries: durableEntries(database), [Symbol.dispose]: () => void database.close() }
  } catch (error) {
    throw explain(error, dataDir)
  }
}

function explain(error: unknown, dataDir: string): SkeinError {
  const code = String((error as NodeJS.ErrnoException).code)
  if (/BUSY|LOCKED/.test(code)) return new SkeinError('STORE_LOCKED', `Another relay is using ${dataDir}.`, { cause: error })
  if (/CORRUPT|NOTADB/.test(code)) return new SkeinError('STORE_CORRUPT', `relay.sqlite in ${dataDir} is damaged.`, { cause: error })
  return new SkeinError('DATA_DIR_READ_ONLY', `The relay cannot write to ${dataDir}.`, { cause: error })
}

function durableEntries(database: Database.Database): DurableEntries {
  const read = database.prepare('SELECT value FROM entries WHERE key = ?')
  const write = database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)')
  const erase = database.prepare('DELETE FROM entries WHERE key = ?')
  return {
    get: (key) => {
      const row = read.get(key) as { value: Uint8Array } | undefined
      return row === undefined ? undefined : new Uint8Array(row.value)
    },
    put: (key, value) => void write.run(key, value),
    delete: (key) => void erase.run(key),
  }
}
