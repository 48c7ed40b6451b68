/** The storage key in the system's keychain; `storage-key.json` names the entry. */
import { type Random, SkeinError } from '@skein/core'
import { STORAGE_KEY_BYTES } from '../store/index.ts'
import type { Keychain } from './keychain.ts'
import type { KeyPlace } from './storage-key-place.ts'
import { readRecord, removeRecord, writeRecord } from './storage-key-record.ts'

/** Long enough that entries of several data directories of one user never share a name. */
const ENTRY_BYTES = 8

const NO_ANSWER =
  'The system keychain is locked or does not answer; unlock it and start again. To do without it, start once from the desktop with keyStorage «file».'

interface KeychainParts {
  readonly dataDir: string
  readonly keychain: Keychain
  readonly random: Pick<Random, 'bytes'>
}

export function keychainPlace({ dataDir, keychain, random }: KeychainParts): KeyPlace {
  // Remembered for `forget`: the record describes the new place by then.
  let loaded: string | undefined
  const load = async (): Promise<Uint8Array> => {
    loaded = entryOf(dataDir)
    return loadKey(loaded, keychain)
  }
  return {
    load,
    keep: async (key) => {
      const entry = `storage-key-${Buffer.from(random.bytes(ENTRY_BYTES)).toString('hex')}`
      if (!(await keychain.put(entry, key))) return null
      return writeRecord(dataDir, { version: 1, kept: 'keychain', entry }) ? key : load()
    },
    forget: async () => {
      removeRecord(dataDir, 'keychain')
      if (loaded !== undefined) await keychain.remove(loaded)
    },
  }
}

function entryOf(dataDir: string): string | undefined {
  const record = readRecord(dataDir)
  return record?.kept === 'keychain' ? record.entry : undefined
}

async function loadKey(entry: string | undefined, keychain: Keychain): Promise<Uint8Array> {
  const key = entry === undefined ? null : await keychain.get(entry)
  if (key === 'no-answer') throw new SkeinError('TIMED_OUT', NO_ANSWER)
  if (key?.length === STORAGE_KEY_BYTES) return key
  throw new SkeinError('STORE_CORRUPT', 'The key of the database is gone from the system keychain; put it back. Nothing was changed.')
}
