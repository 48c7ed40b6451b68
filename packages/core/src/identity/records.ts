/** Judging DHT records, for whoever stores and forwards them. */
import { accountDigest } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import { MAX_RECORD_BYTES } from '../wire/limits.ts'
import { decodeSigned } from '../wire/signed.ts'
import { openAccountRecord } from './contact-card.ts'

/** Whether `record` is within its limit (WF6) and signed by a device of the account whose digest is `key` (ID9). Never throws. */
export function verifyRecord(primitives: Primitives, key: Uint8Array, record: Uint8Array): boolean {
  if (record.length > MAX_RECORD_BYTES) return false
  try {
    const digest = accountDigest(openAccountRecord(primitives, decodeSigned(record)).list.account)
    return digest.length === key.length && digest.every((byte, at) => key[at] === byte)
  } catch {
    return false
  }
}

/** Whether `a` was issued after `b`; both must verify. */
export function isNewerRecord(primitives: Primitives, a: Uint8Array, b: Uint8Array): boolean {
  const [first, second] = [a, b].map((record) => openAccountRecord(primitives, decodeSigned(record)))
  if (first === undefined || second === undefined) return false
  return first.list.version - second.list.version > 0 || (first.list.version === second.list.version && first.issuedAt > second.issuedAt)
}
