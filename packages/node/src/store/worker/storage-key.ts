/** The storage key in a browser: sealed with a passphrase, or as it is, where whoever has the profile has all of it anyway. */
import { SkeinError } from '@skein/core'
import { get, set } from 'idb-keyval'
import { openWithPassphrase, type PassphraseParts, PassphraseRecord, sealWithPassphrase } from '../../platform/passphrase-seal.ts'
import type { StorageKeySource } from '../open-seal.ts'
import { STORAGE_KEY_BYTES } from '../row-seal.ts'
import { records, STORAGE_KEY } from './records.ts'

/**
 * A passphrase that is given for a new database is used from then on; without one the key is kept as it is.
 * @throws SkeinError STORE_CORRUPT, CONFIG_INVALID
 */
export function browserStorageKey(name: string, parts: PassphraseParts): StorageKeySource {
  const kept = records(name)
  return async (need) => {
    const record = await get<unknown>(STORAGE_KEY, kept)
    if (record instanceof Uint8Array && record.length === STORAGE_KEY_BYTES) return record
    const sealed = PassphraseRecord.safeParse(record)
    if (sealed.success) return openWithPassphrase(parts, sealed.data)
    if (need === 'existing') throw new SkeinError('STORE_CORRUPT', 'The key of the database is gone from this browser.')
    const key = parts.random.bytes(STORAGE_KEY_BYTES)
    const given = await parts.passphrase('new')
    await set(STORAGE_KEY, given ? await sealWithPassphrase({ ...parts, passphrase: async () => given }, key) : key, kept)
    return key
  }
}

/** For a database that has been there: an empty one in its place would be another person's. @throws SkeinError STORE_CORRUPT */
export function onlyExisting(source: StorageKeySource): StorageKeySource {
  return async (need) => {
    if (need === 'new') throw new SkeinError('STORE_CORRUPT', 'The database is gone from this browser.')
    return source(need)
  }
}

/**
 * Seals the key of a database that is there with another passphrase. @param next empty: it is kept as it is from now on
 * @throws SkeinError CONFIG_INVALID when the passphrase in use is not the one that `parts` gives, STORE_CORRUPT without a key
 */
export async function changeStoragePassphrase(name: string, parts: PassphraseParts, next: string): Promise<void> {
  const key = await browserStorageKey(name, parts)('existing')
  const record = next === '' ? key : await sealWithPassphrase({ ...parts, passphrase: async () => next }, key)
  await set(STORAGE_KEY, record, records(name))
}
