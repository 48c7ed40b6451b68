/**
 * Invites: a link of at most 200 characters. In the fragment, which no browser sends to a server: format version,
 * account digest (32), secret (16), expiry (UTC hour, 4) and a checksum (4) that tells a typing error from a forgery.
 */
import { base64urlnopad } from '@scure/base'
import { SkeinError } from '../errors/index.ts'
import { accountDigest, accountIdFromDigest, type AccountId } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'

/** An invite is good for 7 days (IN3): long enough for a letter, short enough for a link that leaked. */
export const INVITE_LIFETIME_MS = 7 * 24 * 3_600_000
/** Longest invite, in characters (IN1). */
export const MAX_INVITE_CHARS = 200

const VERSION = 1
const DIGEST_BYTES = 32
const SECRET_BYTES = 16
const CHECKSUM_BYTES = 4
const BODY_BYTES = 1 + DIGEST_BYTES + SECRET_BYTES + 4
const HOUR_MS = 3_600_000

export interface Invite {
  readonly account: AccountId
  /** 16 bytes; whoever proves it is the invited. */
  readonly secret: Uint8Array
  /** Milliseconds since 1970, a whole UTC hour. */
  readonly expiresAt: number
  /** Relay where the card is; null for an invite without a relay. */
  readonly relay: string | null
}

/** Rounded up to the hour that the fragment can hold. */
export function inviteExpiry(now: number): number {
  return Math.ceil((now + INVITE_LIFETIME_MS) / HOUR_MS) * HOUR_MS
}

export function formatInvite(primitives: Primitives, invite: Invite): string {
  const body = new Uint8Array(BODY_BYTES)
  body[0] = VERSION
  body.set(accountDigest(invite.account), 1)
  body.set(invite.secret, 1 + DIGEST_BYTES)
  new DataView(body.buffer).setUint32(1 + DIGEST_BYTES + SECRET_BYTES, invite.expiresAt / HOUR_MS)
  const whole = new Uint8Array(BODY_BYTES + CHECKSUM_BYTES)
  whole.set(body)
  whole.set(primitives.sha256(body).subarray(0, CHECKSUM_BYTES), BODY_BYTES)
  const fragment = base64urlnopad.encode(whole)
  return invite.relay === null ? `skein:#${fragment}` : `${invite.relay.replace(/\/+$/, '')}/#${fragment}`
}

/** @throws SkeinError INVITE_NOT_ONE, INVITE_DAMAGED, INVITE_VERSION, INVITE_EXPIRED: each with a sentence that says which */
export function parseInvite(primitives: Primitives, text: string, now: number): Invite {
  const { relay, fragment } = splitInvite(text.trim())
  const bytes = decodeFragment(fragment)
  if (bytes.length === 0) throw damaged()
  if (bytes[0] !== VERSION)
    throw new SkeinError('INVITE_VERSION', 'This invite was made by another version of Skein; update and try again.')
  if (bytes.length !== BODY_BYTES + CHECKSUM_BYTES || !checksumFits(primitives, bytes)) throw damaged()
  const expiresAt = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1 + DIGEST_BYTES + SECRET_BYTES) * HOUR_MS
  if (expiresAt <= now) throw new SkeinError('INVITE_EXPIRED', 'This invite has expired; ask for a new one.')
  return {
    account: accountIdFromDigest(bytes.slice(1, 1 + DIGEST_BYTES)),
    secret: bytes.slice(1 + DIGEST_BYTES, 1 + DIGEST_BYTES + SECRET_BYTES),
    expiresAt,
    relay,
  }
}

function splitInvite(text: string): { relay: string | null; fragment: string } {
  const at = text.indexOf('#')
  const head = text.slice(0, Math.max(at, 0))
  if (text.length > MAX_INVITE_CHARS || at < 0 || !/^(https?:\/\/[^\s/?#]+(\/[^\s?#]*)?|skein:)$/i.test(head)) {
    throw new SkeinError(
      'INVITE_NOT_ONE',
      'This is not an invite: an invite is a link that begins with http://, https:// or skein: and holds a #.',
    )
  }
  return { relay: /^skein:$/i.test(head) ? null : head.replace(/\/+$/, ''), fragment: text.slice(at + 1) }
}

function decodeFragment(fragment: string): Uint8Array {
  try {
    return base64urlnopad.decode(fragment)
  } catch (cause) {
    throw damaged(cause)
  }
}

function checksumFits(primitives: Primitives, bytes: Uint8Array): boolean {
  const wanted = primitives.sha256(bytes.subarray(0, BODY_BYTES))
  return bytes.subarray(BODY_BYTES).every((byte, at) => wanted[at] === byte)
}

function damaged(cause?: unknown): SkeinError {
  return new SkeinError('INVITE_DAMAGED', 'This invite is damaged: part of it is missing or mistyped. Copy the whole link again.', {
    cause,
  })
}

/** Where the invite's card is left: derived from the secret, so that only the invited can ask for it. 32 bytes. */
export function inviteLocator(primitives: Primitives, secret: Uint8Array): Uint8Array {
  return primitives.hkdfSha256(secret, new Uint8Array(), new TextEncoder().encode('skein invite locator v1'), 32)
}

/** What admits the invited to a relay of the inviter (IN7): the relay knows its SHA-256 alone until somebody shows it. 32 bytes. */
export function inviteAdmission(primitives: Primitives, secret: Uint8Array): Uint8Array {
  return primitives.hkdfSha256(secret, new Uint8Array(), new TextEncoder().encode('skein invite relay admission v1'), 32)
}

/** Names an invite on the wire without giving it away. 32 bytes. */
export function inviteHash(primitives: Primitives, secret: Uint8Array): Uint8Array {
  return primitives.hkdfSha256(secret, new Uint8Array(), new TextEncoder().encode('skein invite hash v1'), 32)
}

/**
 * Proof that `prover` knows the secret, for `verifier` alone: a proof made for one device is worth nothing at another (IN6).
 * @param prover,verifier device keys, 32 bytes each. Returns 32 bytes.
 */
export function inviteProof(
  primitives: Primitives,
  secret: Uint8Array,
  { prover, verifier }: { prover: Uint8Array; verifier: Uint8Array },
): Uint8Array {
  const label = new TextEncoder().encode('skein invite proof v1')
  return primitives.hmacSha256(secret, Uint8Array.of(...label, ...prover, ...verifier))
}

const CARD_NONCE = new Uint8Array(12)

function cardKey(primitives: Primitives, secret: Uint8Array, salt: Uint8Array): Uint8Array {
  return primitives.hkdfSha256(secret, salt, new TextEncoder().encode('skein invite card v1'), 32)
}

/** Encrypts a card for whoever holds the secret. @param salt 16 random bytes, fresh each time: makes the key single-use */
export function sealInviteCard(
  primitives: Primitives,
  card: Uint8Array,
  { secret, salt }: { secret: Uint8Array; salt: Uint8Array },
): Uint8Array {
  const sealed = primitives.aeadSeal(cardKey(primitives, secret, salt), CARD_NONCE, card, salt)
  return Uint8Array.of(...salt, ...sealed)
}

/** @throws SkeinError INVITE_FORGED when the bytes were not sealed under this secret */
export function openInviteCard(primitives: Primitives, bytes: Uint8Array, secret: Uint8Array): Uint8Array {
  const salt = bytes.slice(0, SECRET_BYTES)
  const card = primitives.aeadOpen(cardKey(primitives, secret, salt), CARD_NONCE, bytes.slice(SECRET_BYTES), salt)
  if (card === null)
    throw new SkeinError('INVITE_FORGED', 'What the relay holds for this invite was not made by the person who invited you.')
  return card
}
