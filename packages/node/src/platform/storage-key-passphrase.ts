/** The storage key sealed with a passphrase, in `storage-key.json`. */
import { type Argon2Cost, type Primitives, type Random, SkeinError } from '@skein/core'
import type { KeyPlace } from './storage-key-place.ts'
import { type PassphraseRecord, readRecord, removeRecord, writeRecord } from './storage-key-record.ts'

/** Second recommended option of RFC 9106, section 4 (64 MiB, 3 passes), in one lane because portable code has one. */
export const PASSPHRASE_COST = { memoryKib: 65_536, passes: 3, lanes: 1 } as const
/** RFC 9106, section 3.1 recommends 16. */
const SALT_BYTES = 16
const NONCE_BYTES = 12
const LABEL = 'skein/storage-key/1'

interface PassphraseParts {
  readonly dataDir: string
  readonly passphrase: (need: 'new' | 'existing') => Promise<string | undefined>
  readonly primitives: Pick<Primitives, 'argon2id' | 'aeadSeal' | 'aeadOpen'>
  readonly random: Pick<Random, 'bytes'>
}

export function passphrasePlace(parts: PassphraseParts): KeyPlace {
  const { dataDir } = parts
  const load = (): Promise<Uint8Array> => {
    const record = readRecord(dataDir)
    if (record?.kept !== 'passphrase') throw new SkeinError('STORE_CORRUPT', 'The file storage-key.json is gone; put it back.')
    return openKey(parts, record)
  }
  return {
    load,
    keep: async (key) => (writeRecord(dataDir, await sealKey(parts, key)) ? key : load()),
    forget: () => Promise.resolve(removeRecord(dataDir, 'passphrase')),
  }
}

async function sealKey(parts: PassphraseParts, key: Uint8Array): Promise<PassphraseRecord> {
  const salt = parts.random.bytes(SALT_BYTES)
  const nonce = parts.random.bytes(NONCE_BYTES)
  const wrapping = await stretched(parts, 'new', { salt, cost: PASSPHRASE_COST })
  const sealed = parts.primitives.aeadSeal(wrapping, nonce, key, Buffer.from(LABEL))
  return { version: 1, kept: 'passphrase', argon2id: PASSPHRASE_COST, salt: base64(salt), nonce: base64(nonce), sealed: base64(sealed) }
}

async function openKey(parts: PassphraseParts, record: PassphraseRecord): Promise<Uint8Array> {
  const wrapping = await stretched(parts, 'existing', { salt: bytes(record.salt), cost: record.argon2id })
  const nonce = bytes(record.nonce)
  const key = nonce.length === NONCE_BYTES ? parts.primitives.aeadOpen(wrapping, nonce, bytes(record.sealed), Buffer.from(LABEL)) : null
  if (key === null) throw new SkeinError('CONFIG_INVALID', 'The passphrase is wrong.')
  return key
}

interface Stretching {
  readonly salt: Uint8Array
  readonly cost: Omit<Argon2Cost, 'bytes'>
}

/** The passphrase in normal form: keyboards differ in how they compose accents. */
async function stretched(
  { passphrase, primitives }: PassphraseParts,
  need: 'new' | 'existing',
  { salt, cost }: Stretching,
): Promise<Uint8Array> {
  const given = await passphrase(need)
  if (!given) throw new SkeinError('CONFIG_INVALID', 'A passphrase is needed: set SKEIN_PASSPHRASE, or start from a terminal to be asked.')
  return primitives.argon2id(Buffer.from(given.normalize('NFKC')), salt, { ...cost, bytes: 32 })
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64')
}

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
