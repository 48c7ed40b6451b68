/** A backup is one file: the relay's database, with its key and settings inside. Whoever has it can be this relay. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import Database from 'better-sqlite3'
import { openRelayStore } from './relay-store.ts'

const FORMAT = 'skein relay backup 1'
/** Kept beside the database in a data directory. */
const FILES = ['identity.seed', 'settings.json'] as const
const DATABASE = 'relay.sqlite'
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

/** Backups that nobody has taken. */
export function clearBackups(dataDir: string): void {
  for (const name of readdirSync(dataDir)) if (PART.test(name)) rmSync(join(dataDir, name), { force: true })
}

export interface Restored extends Record<string, unknown> {
  readonly data_dir: string
  /** Where the relay now lies that was there before; `null` where there was none. */
  readonly replaced: string | null
}

export interface RestoreOptions {
  /** Puts a relay that is there aside instead of refusing. */
  readonly replace: boolean
}

/**
 * Makes a data directory from a backup.
 * @throws SkeinError STORE_CORRUPT for what is no whole backup, USAGE where there is a relay already that is not to be
 *   replaced, STORE_LOCKED while one runs there; then nothing has changed
 */
export function restoreBackup(file: string, dataDir: string, { replace }: RestoreOptions): Restored {
  const isTaken = existsSync(join(dataDir, 'identity.seed'))
  if (isTaken && !replace)
    throw new SkeinError('USAGE', `There is a relay in ${dataDir}; «restore --replace» puts it aside and takes the one of the backup.`)
  const rows = readBackup(file)
  const replaced = isTaken ? putAside(dataDir) : null
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const target = join(dataDir, DATABASE)
  copyFileSync(file, target)
  chmodSync(target, 0o600)
  const database = new Database(target)
  database.exec('DROP TABLE backup')
  database.close()
  // The key last: without it there is no relay, and a restore that was interrupted can be made again.
  for (const name of FILES.toReversed()) {
    const bytes = rows.get(name)
    if (bytes !== undefined) writeFileSync(join(dataDir, name), bytes, { mode: 0o600, flush: true })
  }
  return { data_dir: dataDir, replaced }
}

/** @returns the folder in which the relay lies that was here @throws SkeinError STORE_LOCKED while it runs */
function putAside(dataDir: string): string {
  openRelayStore(dataDir)[Symbol.dispose]()
  const folder = join(dataDir, `replaced-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`)
  mkdirSync(folder, { mode: 0o700 })
  for (const name of [...FILES, DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`])
    if (existsSync(join(dataDir, name))) renameSync(join(dataDir, name), join(folder, name))
  return folder
}

function readBackup(file: string): Map<string, Buffer> {
  let database: Database.Database | undefined
  try {
    database = new Database(file, { readonly: true, fileMustExist: true })
    const isWhole = database.pragma('integrity_check', { simple: true }) === 'ok'
    const rows = database.prepare('SELECT name, value FROM backup').all() as { name: string; value: Buffer }[]
    const found = new Map(rows.map(({ name, value }) => [name, value]))
    if (!isWhole || found.get('format')?.toString() !== FORMAT || found.get('identity.seed') === undefined) throw new Error('not whole')
    return found
  } catch (error) {
    throw new SkeinError('STORE_CORRUPT', `${file} is no whole backup of a relay.`, { cause: error })
  } finally {
    database?.close()
  }
}
