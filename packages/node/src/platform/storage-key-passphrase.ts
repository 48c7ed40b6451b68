/** The storage key sealed with a passphrase, in `storage-key.json`. */
import { SkeinError } from '@skein/core'
import { openWithPassphrase, type PassphraseParts, sealWithPassphrase } from './passphrase-seal.ts'
import type { KeyPlace } from './storage-key-place.ts'
import { readRecord, removeRecord, writeRecord } from './storage-key-record.ts'

export function passphrasePlace(parts: PassphraseParts & { readonly dataDir: string }): KeyPlace {
  const { dataDir } = parts
  const load = (): Promise<Uint8Array> => {
    const record = readRecord(dataDir)
    if (record?.kept !== 'passphrase') throw new SkeinError('STORE_CORRUPT', 'The file storage-key.json is gone; put it back.')
    return openWithPassphrase(parts, record)
  }
  return {
    load,
    keep: async (key) => (writeRecord(dataDir, await sealWithPassphrase(parts, key)) ? key : load()),
    forget: () => Promise.resolve(removeRecord(dataDir, 'passphrase')),
  }
}
