/** Where the key is that seals the secrets in the database: the system's keychain, a passphrase, or a file. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Logger, type Primitives, type Random, SkeinError } from '@skein/core'
import { STORAGE_KEY_BYTES, type StorageKeySource } from '../store/index.ts'
import { keyFilePlace } from './key-file.ts'
import type { Keychain } from './keychain.ts'
import { keychainPlace } from './storage-key-keychain.ts'
import { passphrasePlace } from './storage-key-passphrase.ts'
import type { KeyPlace, KeyPlaceName, KeyStorage } from './storage-key-place.ts'
import { readRecord } from './storage-key-record.ts'

export interface StorageKeyOptions {
  readonly dataDir: string
  readonly keyStorage: KeyStorage
  /** What `auto` chooses for a new key; a file where that cannot keep it. */
  readonly preferred: KeyPlaceName
  /** Undefined when there is nobody to ask. */
  readonly passphrase: (need: 'new' | 'existing') => Promise<string | undefined>
  readonly keychain: Keychain
  readonly primitives: Primitives
  readonly random: Pick<Random, 'bytes'>
  readonly logger: Logger
}

/**
 * A key stays where it was first put, unless the configuration names another place: then it is moved there.
 * Nothing is ever overwritten to make up for a key that is gone.
 */
export function storageKeySource(options: StorageKeyOptions): StorageKeySource {
  const places: Record<KeyPlaceName, KeyPlace> = {
    file: keyFilePlace(options),
    keychain: keychainPlace(options),
    passphrase: passphrasePlace(options),
  }
  return async (need) => {
    const { dataDir, keyStorage } = options
    const at = placeOfKey(dataDir)
    if (at !== null) return moved(places, { dataDir, at, to: keyStorage === 'auto' ? at : keyStorage })
    if (need === 'new') return newKey(places, options)
    throw new SkeinError(
      'STORE_CORRUPT',
      `The key of the database is gone: neither storage.key nor storage-key.json is in ${dataDir}; put it back. Nothing was changed.`,
    )
  }
}

const fileIn = (dataDir: string): string => join(dataDir, 'storage.key')

/** Where the key of a data directory is kept; `null` if it has none. A record wins: it is written last when a key is moved to it. */
export function placeOfKey(dataDir: string): KeyPlaceName | null {
  return readRecord(dataDir)?.kept ?? (existsSync(fileIn(dataDir)) ? 'file' : null)
}

interface Move {
  readonly dataDir: string
  readonly at: KeyPlaceName
  readonly to: KeyPlaceName
}

async function moved(places: Record<KeyPlaceName, KeyPlace>, { dataDir, at, to }: Move): Promise<Uint8Array> {
  const key = await places[at].load()
  if (at === to) {
    if (at !== 'file' && existsSync(fileIn(dataDir))) await dropCopy(places.file, key)
    return key
  }
  const kept = await places[to].keep(key)
  if (kept === null) throw cannotKeep(to)
  if (Buffer.compare(kept, key) !== 0) throw new SkeinError('STORE_CORRUPT', 'The data directory holds two different storage keys.')
  await places[at].forget()
  return key
}

/** A move that was cut short leaves the file. Another key in it is not ours to delete. */
async function dropCopy(file: KeyPlace, key: Uint8Array): Promise<void> {
  if (Buffer.compare(await file.load(), key) === 0) await file.forget()
}

async function newKey(places: Record<KeyPlaceName, KeyPlace>, options: StorageKeyOptions): Promise<Uint8Array> {
  const { keyStorage, preferred, random, logger } = options
  const fresh = random.bytes(STORAGE_KEY_BYTES)
  const kept = await places[keyStorage === 'auto' ? preferred : keyStorage].keep(fresh)
  if (kept !== null) return kept
  if (keyStorage !== 'auto') throw cannotKeep(keyStorage)
  logger.info('keychain-unavailable', { instead: 'file' })
  return (await places.file.keep(fresh)) ?? fresh
}

function cannotKeep(place: KeyPlaceName): SkeinError {
  const why = place === 'keychain' ? 'No keychain answers here' : 'The key cannot be kept there'
  return new SkeinError('CONFIG_INVALID', `${why}; set keyStorage to «file» or «passphrase».`)
}
