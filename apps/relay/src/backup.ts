/** A backup is one file: the relay's database, with its key and settings inside. Whoever has it can be this relay. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import Database from 'better-sqlite3'

const FORMAT = 'skein relay backup 1'
/** Kept beside the database in a data directory. */
const FILES = ['identity.seed', 'settings.json'] as const

export interface BackupSource {
  readonly dataDir: string
  readonly database: Database.Database
}

/** @throws SkeinError DATA_DIR_READ_ONLY when `file` cannot be written */
export function makeBackup({ dataDir, database }: BackupSource, file: string): { file: string; bytes: number } {
  try {
    database.prepare('VACUUM INTO ?').run(file)
    chmodSync(file, 0o600)
    const copy = new Database(file)
    copy.exec('CREATE TABLE backup (name TEXT PRIMARY KEY, value BLOB NOT NULL)')
    const add = copy.prepare('INSERT INTO backup VALUES (?, ?)')
    add.run('format', Buffer.from(FORMAT))
    for (const name of FILES) if (existsSync(join(dataDir, name))) add.run(name, readFileSync(join(dataDir, name)))
    copy.close()
    return { file, bytes: statSync(file).size }
  } catch (error) {
    rmSync(file, { force: true })
    throw new SkeinError('DATA_DIR_READ_ONLY', `The backup cannot be written to ${file}.`, { cause: error })
  }
}

/**
 * Makes a data directory from a backup.
 * @throws SkeinError STORE_CORRUPT for what is no whole backup, USAGE where there is a relay already; then nothing has changed
 */
export function restoreBackup(file: string, dataDir: string): { data_dir: string } {
  if (existsSync(join(dataDir, 'identity.seed')))
    throw new SkeinError('USAGE', `There is a relay in ${dataDir}; restore into an empty data directory.`)
  const rows = readBackup(file)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const target = join(dataDir, 'relay.sqlite')
  copyFileSync(file, target)
  chmodSync(target, 0o600)
  const database = new Database(target)
  database.exec('DROP TABLE backup')
  database.close()
  for (const name of FILES) {
    const bytes = rows.get(name)
    if (bytes !== undefined) writeFileSync(join(dataDir, name), bytes, { mode: 0o600, flush: true })
  }
  return { data_dir: dataDir }
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
