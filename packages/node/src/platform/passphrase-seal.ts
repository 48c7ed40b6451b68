/** A storage key sealed with a passphrase, on any platform. */
import { base64 } from '@scure/base'
import { type Argon2Cost, type Primitives, type Random, SkeinError } from '@skein/core'
import * as z from 'zod/mini'

/** Second recommended option of RFC 9106, section 4 (64 MiB, 3 passes), in one lane because portable code has one. */
export const PASSPHRASE_COST = { memoryKib: 65_536, passes: 3, lanes: 1 } as const
/** RFC 9106, section 3.1 recommends 16. */
const SALT_BYTES = 16
const NONCE_BYTES = 12
const LABEL = new TextEncoder().encode('skein/storage-key/1')

/** Bounds, so that a record put there by somebody else cannot make a start take hours. */
const Cost = z.strictObject({
  memoryKib: z.int().check(z.gte(8_192), z.lte(1_048_576)),
  passes: z.int().check(z.gte(1), z.lte(64)),
  lanes: z.int().check(z.gte(1), z.lte(16)),
})

export const PassphraseRecord = z.strictObject({
  version: z.literal(1),
  kept: z.literal('passphrase'),
  argon2id: Cost,
  salt: z.base64(),
  nonce: z.base64(),
  sealed: z.base64(),
})
export type PassphraseRecord = z.infer<typeof PassphraseRecord>

export interface PassphraseParts {
  /** Asks the user. @returns nothing when there is nobody to ask */
  readonly passphrase: (need: 'new' | 'existing') => Promise<string | undefined>
  readonly primitives: Pick<Primitives, 'argon2id' | 'aeadSeal' | 'aeadOpen'>
  readonly random: Pick<Random, 'bytes'>
}

/** @throws SkeinError CONFIG_INVALID when no passphrase is given */
export async function sealWithPassphrase(parts: PassphraseParts, key: Uint8Array): Promise<PassphraseRecord> {
  const salt = parts.random.bytes(SALT_BYTES)
  const nonce = parts.random.bytes(NONCE_BYTES)
  const wrapping = await stretched(parts, 'new', { salt, cost: PASSPHRASE_COST })
  const sealed = parts.primitives.aeadSeal(wrapping, nonce, key, LABEL)
  const [text, by, under] = [sealed, salt, nonce].map((bytes) => base64.encode(bytes)) as [string, string, string]
  return { version: 1, kept: 'passphrase', argon2id: PASSPHRASE_COST, salt: by, nonce: under, sealed: text }
}

/** @throws SkeinError CONFIG_INVALID when the passphrase is wrong or none is given */
export async function openWithPassphrase(parts: PassphraseParts, record: PassphraseRecord): Promise<Uint8Array> {
  const wrapping = await stretched(parts, 'existing', { salt: base64.decode(record.salt), cost: record.argon2id })
  const nonce = base64.decode(record.nonce)
  const key = nonce.length === NONCE_BYTES ? parts.primitives.aeadOpen(wrapping, nonce, base64.decode(record.sealed), LABEL) : null
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
  return primitives.argon2id(new TextEncoder().encode(given.normalize('NFKC')), salt, { ...cost, bytes: 32 })
}
