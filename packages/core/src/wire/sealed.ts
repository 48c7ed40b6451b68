/** Frames of the encryption protocol: prekey bundles, session messages, payloads, envelopes. */
import { SkeinError } from '../errors/index.ts'
import { decodeCanonical, encode, exactly } from './codec.ts'
import { Envelope, EnvelopeContent, FirstFlight, Payload, PrekeyBundle, RatchetHeader, SessionMessage } from './gen/sealed_pb.ts'

/** The only suite (EB2): X25519, ML-KEM-768, SHA-256, ChaCha20-Poly1305. Another one is another number, never a negotiation. */
export const SUITE = 1
export const ENVELOPE_VERSION = 1
/** Prekey ids run from 1 to 127 and around: one byte, and no two live at once at one a week for 40 days. */
export const MAX_PREKEY_ID = 127
/** ML-KEM-768 (FIPS 203, table 3). */
export const KEM_KEY_BYTES = 1_184
export const KEM_CIPHERTEXT_BYTES = 1_088
export const HEADER_TAG_BYTES = 8
export const HEADER_RANDOM_BYTES = 16
export const DELIVERY_TAG_BYTES = 16

export interface PrekeyBundleFields {
  readonly deviceKey: Uint8Array
  /** Milliseconds since 1970, strictly rising per device. */
  readonly issuedAt: number
  /** 1 to 127. */
  readonly prekeyId: number
  /** X25519, 32 bytes. */
  readonly signedPrekey: Uint8Array
  /** ML-KEM-768, 1,184 bytes. */
  readonly kemKey: Uint8Array
}

export interface RatchetHeaderFields {
  /** First four bytes of the session's id, little endian. */
  readonly session: number
  readonly ratchetKey: Uint8Array
  readonly previous: number
  readonly number: number
  readonly random: Uint8Array
}

export interface FirstFlightFields {
  readonly ephemeralKey: Uint8Array
  readonly prekeyId: number
  /** 0 when no one-time prekey was used. */
  readonly oneTimeId: number
  readonly kemCiphertext: Uint8Array
}

export interface SessionMessageFields {
  /** Encoded header: these very bytes are authenticated. */
  readonly header: Uint8Array
  readonly headerTag: Uint8Array
  readonly ciphertext: Uint8Array
  readonly first: FirstFlightFields | undefined
}

export interface EnvelopeFields {
  readonly deliveryTag: Uint8Array
  /** Hours since 1970. */
  readonly expiryHour: number
  readonly prekeyId: number
  readonly sealed: Uint8Array
}

export interface EnvelopeContentFields {
  readonly message: Uint8Array
  /** Device key, 32 bytes, with a first flight; else empty. */
  readonly sender: Uint8Array
  /** Number of the message among all from the sender to this device, from 1. */
  readonly seq?: number
}

export function encodePrekeyBundle(bundle: PrekeyBundleFields): Uint8Array {
  return encode(PrekeyBundle, { ...bundle, suite: SUITE })
}

/** @throws SkeinError BAD_FRAME, also for another suite; FRAME_TOO_LARGE */
export function decodePrekeyBundle(bytes: Uint8Array): PrekeyBundleFields {
  const bundle = decodeCanonical(PrekeyBundle, bytes)
  if (bundle.suite !== SUITE) throw new SkeinError('BAD_FRAME', 'A prekey bundle is of another suite.')
  return {
    deviceKey: exactly(bundle.deviceKey, 32),
    issuedAt: bundle.issuedAt,
    prekeyId: prekeyId(bundle.prekeyId),
    signedPrekey: exactly(bundle.signedPrekey, 32),
    kemKey: exactly(bundle.kemKey, KEM_KEY_BYTES),
  }
}

function prekeyId(id: number): number {
  if (id < 1 || id > MAX_PREKEY_ID) throw new SkeinError('BAD_FRAME', 'A prekey id is out of range.')
  return id
}

export function encodeRatchetHeader(header: RatchetHeaderFields): Uint8Array {
  return encode(RatchetHeader, header)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeRatchetHeader(bytes: Uint8Array): RatchetHeaderFields {
  const { session, ratchetKey, previous, number, random } = decodeCanonical(RatchetHeader, bytes)
  return { session, ratchetKey: exactly(ratchetKey, 32), previous, number, random: exactly(random, HEADER_RANDOM_BYTES) }
}

/** The bytes of a first flight that are authenticated with every message it goes along with. */
export function encodeFirstFlight(first: FirstFlightFields): Uint8Array {
  return encode(FirstFlight, first)
}

export function encodeSessionMessage(message: SessionMessageFields): Uint8Array {
  return encode(SessionMessage, message)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeSessionMessage(bytes: Uint8Array): SessionMessageFields {
  const { header, headerTag, ciphertext, first } = decodeCanonical(SessionMessage, bytes)
  return {
    header,
    headerTag: exactly(headerTag, HEADER_TAG_BYTES),
    ciphertext,
    first: first === undefined ? undefined : firstFlight(first),
  }
}

function firstFlight(first: FirstFlightFields): FirstFlightFields {
  return {
    ephemeralKey: exactly(first.ephemeralKey, 32),
    prekeyId: prekeyId(first.prekeyId),
    oneTimeId: first.oneTimeId,
    kemCiphertext: exactly(first.kemCiphertext, KEM_CIPHERTEXT_BYTES),
  }
}

export type PayloadBody = { readonly kind: 'plain' | 'deflated'; readonly bytes: Uint8Array }

export function encodePayload({ kind, bytes }: PayloadBody): Uint8Array {
  return encode(Payload, { body: { $case: kind, value: bytes } })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodePayload(bytes: Uint8Array): PayloadBody {
  const { body } = decodeCanonical(Payload, bytes)
  if (body === undefined) throw new SkeinError('BAD_FRAME', 'A payload is of an unknown kind.')
  return { kind: body.$case, bytes: body.value }
}

export function encodeEnvelope(envelope: EnvelopeFields): Uint8Array {
  return encode(Envelope, { ...envelope, version: ENVELOPE_VERSION })
}

/** @throws SkeinError BAD_FRAME, also for another version; FRAME_TOO_LARGE */
export function decodeEnvelope(bytes: Uint8Array): EnvelopeFields {
  const { version, deliveryTag, expiryHour, prekeyId: id, sealed } = decodeCanonical(Envelope, bytes)
  if (version !== ENVELOPE_VERSION) throw new SkeinError('BAD_FRAME', 'An envelope is of another version.')
  return { deliveryTag: exactly(deliveryTag, DELIVERY_TAG_BYTES), expiryHour, prekeyId: prekeyId(id), sealed }
}

export function encodeEnvelopeContent(content: EnvelopeContentFields): Uint8Array {
  return encode(EnvelopeContent, { ...content, seq: content.seq ?? 0 })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeEnvelopeContent(bytes: Uint8Array): EnvelopeContentFields {
  const { message, sender, seq } = decodeCanonical(EnvelopeContent, bytes)
  if (sender.length !== 0) exactly(sender, 32)
  return { message, sender, ...(seq === 0 ? {} : { seq }) }
}
