/** Puts a backup where a relay is to be: whole, or not at all. What is there goes aside, and comes back when it fails. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import Database from 'better-sqlite3'
import { DATABASE, FILES, readBackup } from './backup.ts'
import { RESTORING, SEED_FILE, syncDirectory } from './identity.ts'
import { openRelayStore } from './relay-store.ts'

export interface Restored extends Record<string, unknown> {
  readonly data_dir: string
  /** Where that now lies which was there before; `null` where there was nothing. */
  readonly replaced: string | null
}

export interface RestoreOptions {
  /** Puts a relay that is there aside instead of refusing. */
  readonly replace: boolean
}

/**
 * Makes a data directory from a backup.
 * @throws SkeinError STORE_CORRUPT for what is no whole backup, USAGE where there is a relay already that is not to be
 *   replaced, STORE_LOCKED while one runs there, DATA_DIR_READ_ONLY where there is no room; then nothing has changed
 */
export function restoreBackup(file: string, dataDir: string, { replace }: RestoreOptions): Restored {
  if (existsSync(join(dataDir, SEED_FILE)) && !replace)
    throw new SkeinError('USAGE', `There is a relay in ${dataDir}; «restore --replace» puts it aside and takes the one of the backup.`)
  const files = readBackup(file)
  checkStopped(dataDir)
  const staged = join(dataDir, RESTORING)
  const steps = new Steps()
  try {
    stage(file, staged, files)
    const replaced = putAside(dataDir, steps)
    takePlace(staged, dataDir, steps)
    return { data_dir: dataDir, replaced }
  } catch (error) {
    steps.undo()
    throw new SkeinError('DATA_DIR_READ_ONLY', `The backup cannot be put into ${dataDir}; is there room for it? Nothing has changed.`, {
      cause: error,
    })
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
}

/** A database that is damaged is why there are backups. @throws SkeinError STORE_LOCKED */
function checkStopped(dataDir: string): void {
  if (!existsSync(join(dataDir, DATABASE))) return
  try {
    openRelayStore(dataDir)[Symbol.dispose]()
  } catch (error) {
    if (error instanceof SkeinError && error.code === 'STORE_LOCKED') throw error
  }
}

/** All of it durably beside its place, so that nothing is missing any more when the old relay goes. */
function stage(file: string, staged: string, files: ReadonlyMap<string, Buffer>): void {
  rmSync(staged, { recursive: true, force: true })
  mkdirSync(staged, { recursive: true, mode: 0o700 })
  const target = join(staged, DATABASE)
  copyFileSync(file, target)
  chmodSync(target, 0o600)
  const database = new Database(target)
  try {
    database.exec('DROP TABLE backup')
  } finally {
    database.close()
  }
  for (const name of FILES) {
    const bytes = files.get(name)
    if (bytes !== undefined) writeFileSync(join(staged, name), bytes, { mode: 0o600, flush: true })
  }
  syncDirectory(staged)
}

/** @returns the folder in which that lies which was here: a database without a key too, whose log would be read into the new one */
function putAside(dataDir: string, steps: Steps): string | null {
  const found = [...FILES, DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`].filter((name) => existsSync(join(dataDir, name)))
  if (found.length === 0) return null
  const folder = join(dataDir, `replaced-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`)
  steps.makeFolder(folder)
  for (const name of found) steps.rename(join(dataDir, name), join(folder, name))
  return folder
}

/** The key last: without it there is no relay. */
function takePlace(staged: string, dataDir: string, steps: Steps): void {
  for (const name of [DATABASE, ...FILES.toReversed()])
    if (existsSync(join(staged, name))) steps.rename(join(staged, name), join(dataDir, name))
  syncDirectory(dataDir)
}

/** What has been done, so that it can be undone. */
export class Steps {
  readonly #undone: (() => void)[] = []

  makeFolder(folder: string): void {
    mkdirSync(folder, { mode: 0o700 })
    this.#undone.push(() => rmdirSync(folder))
  }

  rename(from: string, to: string): void {
    renameSync(from, to)
    this.#undone.push(() => renameSync(to, from))
  }

  /** The last one first. */
  undo(): void {
    for (const back of this.#undone.splice(0).toReversed()) back()
  }
}
