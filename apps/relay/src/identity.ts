/** The relay's long-lived key: 32 bytes from which its peer id follows. */
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'

const SEED_BYTES = 32
export const SEED_FILE = 'identity.seed'
/** Here a backup waits in the data directory until it takes its place. */
export const RESTORING = 'restoring'

/**
 * The seed in `dataDir`, made on the first run.
 * @throws SkeinError STORE_CORRUPT if the file is no seed or a restore broke off, DATA_DIR_READ_ONLY if none can be written
 */
export function loadOrCreateSeed(dataDir: string): Uint8Array {
  const file = join(dataDir, SEED_FILE)
  const stored = readIfPresent(file)
  if (stored === undefined) {
    checkNotRestoring(dataDir)
    return createSeed(dataDir, file)
  }
  // A new identity in place of a damaged one would cut every member off without a word.
  if (stored.length !== SEED_BYTES)
    throw new SkeinError('STORE_CORRUPT', `${file} is damaged; restore it from a backup, or remove it to become a new relay.`)
  return stored
}

/** A new relay in the place of the one that was to come back would be open to everybody, and no member's. */
function checkNotRestoring(dataDir: string): void {
  const staged = join(dataDir, RESTORING)
  if (existsSync(staged))
    throw new SkeinError(
      'STORE_CORRUPT',
      `A restore into ${dataDir} has broken off: make it again. What was there lies in replaced-…; to begin a new relay remove ${staged}.`,
    )
}

function readIfPresent(file: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SkeinError('STORE_CORRUPT', `${file} cannot be read.`, { cause: error })
  }
}

function createSeed(dataDir: string, file: string): Uint8Array {
  const seed = new Uint8Array(randomBytes(SEED_BYTES))
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    writeDurably(file, seed)
    syncDirectory(dataDir)
  } catch (error) {
    throw new SkeinError('DATA_DIR_READ_ONLY', `The relay cannot write to ${dataDir}.`, { cause: error })
  }
  return seed
}

/** Written beside its place and renamed, so that a crash leaves the whole file or none. */
function writeDurably(file: string, bytes: Uint8Array): void {
  const draft = `${file}.${process.pid}.new`
  const handle = openSync(draft, 'w', 0o600)
  try {
    writeSync(handle, bytes)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  chmodSync(draft, 0o600)
  renameSync(draft, file)
}

/** A rename itself lives in the directory; Windows cannot open one and needs no such step. */
export function syncDirectory(dir: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(dir, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
