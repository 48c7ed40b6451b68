/** `/skein/mailbox/1`: requests of a client to a relay that keeps sealed mail, each answered by one reply of the same number. */
import { SkeinError } from '../errors/index.ts'
import { atMost, decode, encode, exactly } from './codec.ts'
import { MailboxReply, MailboxRequest, MailReceipt } from './gen/mailbox_pb.ts'
import { MAX_FETCH_RIGHTS, MAX_FORGOTTEN, MAX_MAIL_BATCH, MAX_TOKENS_AT_ONCE } from './limits.ts'

/** One token of type 1 (RFC 9578 §5.3): type, nonce, digest of the challenge, key id, authenticator. */
export const TOKEN_BYTES = 2 + 32 + 32 + 32 + 48
const TOKEN_KEY_ID_AT = 2 + 32 + 32
/** SHA-256 of the key that a token says it was made with. */
export const tokenKeyId = (token: Uint8Array): Uint8Array => token.subarray(TOKEN_KEY_ID_AT, TOKEN_KEY_ID_AT + 32)
/** A compressed element of P-384. */
export const BLINDED_BYTES = 49
/** Challenge, and both halves of a proof. */
const CHALLENGE_BYTES = 32
const PROOF_BYTES = 96

export interface FetchRightFields {
  /** Ed25519, 32 bytes. */
  readonly fetchKey: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

export type MailboxRequestFields =
  | { readonly kind: 'hello' }
  /** `token` is empty while the tag has room left. */
  | { readonly kind: 'deposit'; readonly envelope: Uint8Array; readonly token: Uint8Array }
  | { readonly kind: 'open'; readonly rights: readonly FetchRightFields[] }
  | { readonly kind: 'fetch'; readonly after: number; readonly limit: number; readonly waitMs: number }
  | { readonly kind: 'forget'; readonly cursors: readonly number[] }
  | { readonly kind: 'tokens'; readonly blinded: readonly Uint8Array[] }

/** Why a mailbox does not do what it was asked. */
export const MAILBOX_REFUSALS = [
  'token-wanted',
  'token-refused',
  'token-spent',
  'tag-full',
  'full',
  'expired',
  'not-yours',
  'no-member',
  'quota',
  'bad-frame',
] as const
export type MailboxRefusal = (typeof MAILBOX_REFUSALS)[number]

export interface MailItemFields {
  readonly cursor: number
  readonly envelope: Uint8Array
}

export interface StoredFields {
  readonly storedAt: number
  readonly expiresAt: number
  /** 64 bytes, by the relay's key. */
  readonly signature: Uint8Array
}

export type MailboxReplyFields =
  | { readonly kind: 'welcome'; readonly challenge: Uint8Array; readonly tokenKey: Uint8Array }
  | ({ readonly kind: 'stored' } & StoredFields)
  | { readonly kind: 'done' }
  | { readonly kind: 'batch'; readonly items: readonly MailItemFields[] }
  | { readonly kind: 'issued'; readonly evaluated: readonly Uint8Array[]; readonly proof: Uint8Array }
  | { readonly kind: 'refused'; readonly why: MailboxRefusal }

export interface Numbered<T> {
  readonly number: number
  readonly body: T
}

export function encodeMailboxRequest(number: number, body: MailboxRequestFields): Uint8Array {
  return encode(MailboxRequest, { number, kind: requestKind(body) })
}

function requestKind(body: MailboxRequestFields): MailboxRequest['kind'] {
  switch (body.kind) {
    case 'hello':
      return { $case: 'hello', value: {} }
    case 'deposit':
      return { $case: 'deposit', value: body }
    case 'open':
      return { $case: 'open', value: { rights: [...body.rights] } }
    case 'fetch':
      return { $case: 'fetch', value: body }
    case 'forget':
      return { $case: 'forget', value: { cursors: [...body.cursors] } }
    case 'tokens':
      return { $case: 'tokens', value: { blinded: [...body.blinded] } }
  }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeMailboxRequest(bytes: Uint8Array): Numbered<MailboxRequestFields> {
  const { number, kind } = decode(MailboxRequest, bytes)
  return { number, body: requestBody(kind) }
}

function requestBody(kind: MailboxRequest['kind']): MailboxRequestFields {
  switch (kind?.$case) {
    case 'hello':
      return { kind: 'hello' }
    case 'deposit':
      return { kind: 'deposit', envelope: kind.value.envelope, token: emptyOr(kind.value.token, TOKEN_BYTES) }
    case 'open':
      return { kind: 'open', rights: atMost(kind.value.rights, MAX_FETCH_RIGHTS).map(rightOf) }
    case 'fetch':
      return {
        kind: 'fetch',
        after: cursorOf(kind.value.after),
        limit: Math.min(kind.value.limit, MAX_MAIL_BATCH),
        waitMs: kind.value.waitMs,
      }
    case 'forget':
      return { kind: 'forget', cursors: atMost(kind.value.cursors, MAX_FORGOTTEN).map(cursorOf) }
    case 'tokens':
      return { kind: 'tokens', blinded: atMost(kind.value.blinded, MAX_TOKENS_AT_ONCE).map((each) => exactly(each, BLINDED_BYTES)) }
    case undefined:
      throw new SkeinError('BAD_FRAME', 'A mailbox request is empty.')
  }
}

function rightOf({ fetchKey, signature }: FetchRightFields): FetchRightFields {
  return { fetchKey: exactly(fetchKey, 32), signature: exactly(signature, 64) }
}

/** @throws SkeinError BAD_FRAME */
function cursorOf(value: number): number {
  if (!Number.isSafeInteger(value)) throw new SkeinError('BAD_FRAME', 'A cursor is out of range.')
  return value
}

function emptyOr(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.length === 0 ? bytes : exactly(bytes, length)
}

export function encodeMailboxReply(number: number, body: MailboxReplyFields): Uint8Array {
  return encode(MailboxReply, { number, kind: replyKind(body) })
}

function replyKind(body: MailboxReplyFields): MailboxReply['kind'] {
  switch (body.kind) {
    case 'welcome':
      return { $case: 'welcome', value: body }
    case 'stored':
      return { $case: 'stored', value: body }
    case 'done':
      return { $case: 'done', value: {} }
    case 'batch':
      return { $case: 'batch', value: { items: [...body.items] } }
    case 'issued':
      return { $case: 'issued', value: { evaluated: [...body.evaluated], proof: body.proof } }
    case 'refused':
      return { $case: 'refused', value: body.why }
  }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeMailboxReply(bytes: Uint8Array): Numbered<MailboxReplyFields> {
  const { number, kind } = decode(MailboxReply, bytes)
  return { number, body: replyBody(kind) }
}

function replyBody(kind: MailboxReply['kind']): MailboxReplyFields {
  switch (kind?.$case) {
    case 'welcome':
      return {
        kind: 'welcome',
        challenge: exactly(kind.value.challenge, CHALLENGE_BYTES),
        tokenKey: exactly(kind.value.tokenKey, BLINDED_BYTES),
      }
    case 'stored':
      return { kind: 'stored', ...kind.value, signature: exactly(kind.value.signature, 64) }
    case 'done':
      return { kind: 'done' }
    case 'batch':
      return {
        kind: 'batch',
        items: atMost(kind.value.items, MAX_MAIL_BATCH).map(({ cursor, envelope }) => ({ cursor: cursorOf(cursor), envelope })),
      }
    case 'issued':
      return issuedBody(kind.value)
    case 'refused':
      return { kind: 'refused', why: MAILBOX_REFUSALS.find((each) => each === kind.value) ?? 'bad-frame' }
    case undefined:
      throw new SkeinError('BAD_FRAME', 'A mailbox reply is empty.')
  }
}

function issuedBody({ evaluated, proof }: { evaluated: Uint8Array[]; proof: Uint8Array }): MailboxReplyFields {
  const elements = atMost(evaluated, MAX_TOKENS_AT_ONCE).map((each) => exactly(each, BLINDED_BYTES))
  return { kind: 'issued', evaluated: elements, proof: exactly(proof, PROOF_BYTES) }
}

/** What a relay signs when it has stored an envelope. */
export function encodeMailReceipt(receipt: {
  readonly envelopeDigest: Uint8Array
  readonly storedAt: number
  readonly expiresAt: number
}): Uint8Array {
  return encode(MailReceipt, receipt)
}
