/** `skein-relay backup` and `restore`: the file is the caller's, the copy in the data directory the relay's. */
import { constants, copyFileSync, createReadStream, createWriteStream, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { SkeinError } from '@skein/core'
import { restoreBackup, type RestoreOptions } from '../restore.ts'
import type { RelayConfig } from '../config.ts'
import { perform } from '../control/socket.ts'
import { present } from './present.ts'

/** For stdout, and for stdin. */
const STREAM = '-'

/** @throws SkeinError USAGE for a file that is there, DATA_DIR_READ_ONLY when it cannot be written */
export async function backUp({ dataDir, json }: RelayConfig, file: string): Promise<void> {
  if (file !== STREAM && existsSync(file)) throw new SkeinError('USAGE', `${file} is there already; a backup overwrites nothing.`)
  if (file === STREAM && process.stdout.isTTY) throw new SkeinError('USAGE', 'A backup is no text; send it into a file: «backup - >FILE».')
  const { part, bytes } = await perform(dataDir, 'backup', {})
  try {
    if (file === STREAM) await pipeline(createReadStream(String(part)), process.stdout)
    else copyFileSync(String(part), file, constants.COPYFILE_EXCL)
  } catch (error) {
    throw new SkeinError('DATA_DIR_READ_ONLY', `The backup cannot be written to ${file}.`, { cause: error })
  } finally {
    rmSync(String(part), { force: true })
  }
  if (file !== STREAM) present({ file, bytes }, json)
}

/** @throws SkeinError STORE_CORRUPT, STORE_LOCKED, USAGE, DATA_DIR_READ_ONLY; then nothing has changed */
export async function restore({ dataDir, json }: RelayConfig, file: string, options: RestoreOptions): Promise<void> {
  if (file !== STREAM) return present(restoreBackup(file, dataDir, options), json)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const part = join(dataDir, `restore-${process.pid}.part`)
  try {
    await pipeline(process.stdin, createWriteStream(part, { mode: 0o600 }))
    present(restoreBackup(part, dataDir, options), json)
  } finally {
    rmSync(part, { force: true })
  }
}
