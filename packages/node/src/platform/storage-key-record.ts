/** `storage-key.json`: how to get at a storage key that is not in a file of its own. Holds nothing secret in clear. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import * as z from 'zod'
import { createFile, replaceFile } from '../store/durable-file.ts'
import { PassphraseRecord } from './passphrase-seal.ts'

const Record = z.discriminatedUnion('kept', [
  z.strictObject({ version: z.literal(1), kept: z.literal('keychain'), entry: z.string().min(1).max(64) }),
  PassphraseRecord,
])
export type StorageKeyRecord = z.infer<typeof Record>

const pathIn = (dataDir: string): string => join(dataDir, 'storage-key.json')

/** `null` when there is none. @throws SkeinError STORE_CORRUPT */
export function readRecord(dataDir: string): StorageKeyRecord | null {
  try {
    return Record.parse(JSON.parse(readFileSync(pathIn(dataDir), 'utf8')))
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(String((cause as NodeJS.ErrnoException).code))) return null
    throw new SkeinError('STORE_CORRUPT', 'The file storage-key.json in the data directory is damaged; put it back from a backup.', {
      cause,
    })
  }
}

/** Takes the place of the one before, at once or not at all; false when somebody was faster. */
export function writeRecord(dataDir: string, record: StorageKeyRecord): boolean {
  const data = `${JSON.stringify(record, undefined, 2)}\n`
  if (readRecord(dataDir) === null) return createFile(pathIn(dataDir), data)
  replaceFile(pathIn(dataDir), data)
  return true
}

/** Only if it says so: the file may by now describe the place that the key was moved to. */
export function removeRecord(dataDir: string, kept: StorageKeyRecord['kept']): void {
  if (readRecord(dataDir)?.kept === kept) rmSync(pathIn(dataDir), { force: true })
}
