/** The storage key in a file that only the user can read. */
import { chmodSync, closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Logger, SkeinError } from '@skein/core'
import { createFile } from '../store/durable-file.ts'
import { STORAGE_KEY_BYTES } from '../store/index.ts'
import type { KeyPlace } from './storage-key-place.ts'

/** Rights of anybody but the owner. */
const OTHERS = 0o077

export function keyFilePlace({ dataDir, logger }: { readonly dataDir: string; readonly logger: Logger }): KeyPlace {
  const path = join(dataDir, 'storage.key')
  const load = (): Promise<Uint8Array> => Promise.resolve(readKey(path, logger))
  return {
    load,
    keep: (key) => (createFile(path, key) ? Promise.resolve(key) : load()),
    forget: () => Promise.resolve(removeKey(path)),
  }
}

function readKey(path: string, logger: Logger): Uint8Array {
  if (process.platform !== 'win32' && (statSync(path).mode & OTHERS) !== 0) {
    chmodSync(path, 0o600)
    logger.warn('key-file-was-open', { repaired: true })
  }
  const key = new Uint8Array(readFileSync(path))
  if (key.length === STORAGE_KEY_BYTES) return key
  throw new SkeinError('STORE_CORRUPT', 'The file storage.key in the data directory is damaged; put it back from a backup.')
}

/** Also what a start left that was killed while it made the file. */
function removeKey(path: string): void {
  const folder = dirname(path)
  const all = readdirSync(folder).filter((name) => name.startsWith(basename(path)))
  for (const name of all) removeWiped(join(folder, name))
}

/** Overwritten in place first, which helps where the file system does as it is told. */
function removeWiped(path: string): void {
  const file = openSync(path, 'r+')
  writeSync(file, new Uint8Array(STORAGE_KEY_BYTES))
  fsyncSync(file)
  closeSync(file)
  rmSync(path)
}
