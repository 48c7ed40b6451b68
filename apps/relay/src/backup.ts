/** A backup is one file: the relay's database, with its key and settings inside. Whoever has it can be this relay. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import Database from 'better-sqlite3'
import { RESTORING, SEED_FILE } from './identity.ts'

const FORMAT = 'skein relay backup 1'
/** Kept beside the database in a data directory. */
export const FILES = [SEED_FILE, 'settings.json'] as const
export const DATABASE = 'relay.sqlite'
/** A backup that waits in the data directory for whoever has asked for it. */
const PART = /^backup-[0-9a-f]{16}\.part$/

export interface BackupSource {
  readonly dataDir: string
  readonly database: Database.Database
}

export interface BackupPart {
  /** In the data directory: a service may see other folders than whoever asks it. Who takes it removes it. */
  readonly part: string
  readonly bytes: number
}

/** Page by page, so that the relay goes on meanwhile. @throws SkeinError DATA_DIR_READ_ONLY when there is no room for it */
export async function makeBackup({ dataDir, database }: BackupSource): Promise<BackupPart> {
  const part = join(dataDir, `backup-${randomBytes(8).toString('hex')}.part`)
  try {
    // Made here, because nobody else may read it.
    writeFileSync(part, '', { mode: 0o600 })
    await database.backup(part)
    addFiles(part, dataDir)
    return { part, bytes: statSync(part).size }
  } catch (error) {
    rmSync(part, { force: true })
    throw new SkeinError('DATA_DIR_READ_ONLY', `A backup cannot be made in ${dataDir}; is there room for it?`, { cause: error })
  }
}

function addFiles(part: string, dataDir: string): void {
  const copy = new Database(part)
  try {
    // One file, readable where nothing may be written.
    copy.pragma('journal_mode = DELETE')
    copy.exec('CREATE TABLE backup (name TEXT PRIMARY KEY, value BLOB NOT NULL)')
    const add = copy.prepare('INSERT INTO backup VALUES (?, ?)')
    add.run('format', Buffer.from(FORMAT))
    for (const name of FILES) if (existsSync(join(dataDir, name))) add.run(name, readFileSync(join(dataDir, name)))
  } finally {
    copy.close()
  }
}

/** Backups that nobody has taken, and what a restore has left that was cut off before it changed anything. */
export function clearBackups(dataDir: string): void {
  if (existsSync(join(dataDir, SEED_FILE))) rmSync(join(dataDir, RESTORING), { recursive: true, force: true })
  for (const name of readdirSync(dataDir)) if (PART.test(name)) rmSync(join(dataDir, name), { force: true })
}

/** @returns what lies beside the database, by name @throws SkeinError STORE_CORRUPT for what is no whole backup */
export function readBackup(file: string): Map<string, Buffer> {
  let database: Database.Database | undefined
  try {
    database = new Database(file, { readonly: true, fileMustExist: true })
    const isWhole = database.pragma('integrity_check', { simple: true }) === 'ok'
    const rows = database.prepare('SELECT name, value FROM backup').all() as { name: string; value: Buffer }[]
    const found = new Map(rows.map(({ name, value }) => [name, value]))
    if (!isWhole || found.get('format')?.toString() !== FORMAT || found.get(SEED_FILE) === undefined) throw new Error('not whole')
    return found
  } catch (error) {
    throw new SkeinError('STORE_CORRUPT', `${file} is no whole backup of a relay.`, { cause: error })
  } finally {
    database?.close()
  }
}
