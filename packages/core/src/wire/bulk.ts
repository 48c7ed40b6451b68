/** How both ends of a raw connection get its key: `/skein/bulk/1` between devices, `/skein/splice/1` with a relay. */
import { SkeinError } from '../errors/index.ts'
import { type DeviceId, parseDeviceId } from '../ids.ts'
import { atMost, decode, encode, exactly } from './codec.ts'
import { BulkAnswer, BulkOffer, SpliceReply, SpliceRequest } from './gen/bulk_pb.ts'

/** Largest message, bytes: an offer with eight relays takes half of it. */
export const MAX_BULK_CONTROL_BYTES = 1_024
/** Says which key belongs to a raw connection. */
export const BULK_TICKET_BYTES = 16
export const BULK_KEY_BYTES = 32
/** Longest purpose, bytes of ASCII. */
const MAX_PURPOSE_CHARS = 64
/** As many as a card names. */
const MAX_BULK_RELAYS = 8

export interface BulkSecret {
  /** BULK_TICKET_BYTES, in clear on the raw connection. */
  readonly ticket: Uint8Array
  /** BULK_KEY_BYTES, never sent there. */
  readonly key: Uint8Array
}

export interface BulkOfferFrame extends BulkSecret {
  /** 1 to 64 characters `a-z 0-9 . -`. */
  readonly purpose: string
  /** Whether a connection without a relay is wanted. */
  readonly direct: boolean
  /** The asking side knows where the other one listens for TCP, though no connection between them shows it. */
  readonly knows: boolean
  /** The other side is to dial: the asking one did not get through. */
  readonly reverse: boolean
  /** Relays that the asking side is connected to. */
  readonly relays: readonly DeviceId[]
}

export type BulkAnswerFrame =
  /** The asking side dials where it has dialled the other one before, or knows that it listens. */
  | { readonly way: 'dial' }
  /** The answering side dials the asking one. */
  | { readonly way: 'await' }
  | { readonly way: 'relay'; readonly relay: DeviceId }
  | { readonly way: 'none' }

export interface SpliceRequestFrame {
  readonly peer: DeviceId
  /** The ticket of the two devices. */
  readonly session: Uint8Array
}

const REFUSALS = ['denied', 'no-reservation', 'resource-limit', 'full'] as const
export type SpliceRefusal = (typeof REFUSALS)[number]
export type SpliceReplyFrame = { readonly status: 'ok'; readonly secret: BulkSecret } | { readonly status: SpliceRefusal }

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodeBulkOffer(offer: BulkOfferFrame): Uint8Array {
  return encode(BulkOffer, { ...offer, relays: [...offer.relays] }, MAX_BULK_CONTROL_BYTES)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeBulkOffer(bytes: Uint8Array): BulkOfferFrame {
  const { purpose, ticket, key, relays, ...wish } = decode(BulkOffer, bytes, MAX_BULK_CONTROL_BYTES)
  if (purpose.length > MAX_PURPOSE_CHARS || !/^[a-z0-9.-]+$/.test(purpose)) throw new SkeinError('BAD_FRAME', 'A purpose has no such form.')
  return { purpose, ...secretOf({ ticket, key }), ...wish, relays: atMost(relays, MAX_BULK_RELAYS).map(deviceFrom) }
}

export function encodeBulkAnswer(answer: BulkAnswerFrame): Uint8Array {
  return encode(BulkAnswer, { way: wayToWire(answer) })
}

function wayToWire(answer: BulkAnswerFrame): BulkAnswer['way'] {
  switch (answer.way) {
    case 'dial':
      return { $case: 'dial', value: true }
    case 'await':
      return { $case: 'await', value: true }
    case 'relay':
      return { $case: 'relay', value: answer.relay }
    case 'none':
      // Never empty: a frame has one byte at least.
      return { $case: 'none', value: true }
  }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeBulkAnswer(bytes: Uint8Array): BulkAnswerFrame {
  const { way } = decode(BulkAnswer, bytes, MAX_BULK_CONTROL_BYTES)
  if (way?.$case === 'relay') return { way: 'relay', relay: deviceFrom(way.value) }
  return { way: way?.value === true ? way.$case : 'none' }
}

export function encodeSpliceRequest(request: SpliceRequestFrame): Uint8Array {
  return encode(SpliceRequest, request)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeSpliceRequest(bytes: Uint8Array): SpliceRequestFrame {
  const { peer, session } = decode(SpliceRequest, bytes, MAX_BULK_CONTROL_BYTES)
  return { peer: deviceFrom(peer), session: exactly(session, BULK_TICKET_BYTES) }
}

export function encodeSpliceReply(reply: SpliceReplyFrame): Uint8Array {
  const none = new Uint8Array()
  const { ticket, key } = reply.status === 'ok' ? reply.secret : { ticket: none, key: none }
  return encode(SpliceReply, { status: reply.status, ticket, key })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeSpliceReply(bytes: Uint8Array): SpliceReplyFrame {
  const { status, ticket, key } = decode(SpliceReply, bytes, MAX_BULK_CONTROL_BYTES)
  if (status === 'ok') return { status, secret: secretOf({ ticket, key }) }
  const refusal = REFUSALS.find((each) => each === status)
  if (refusal === undefined) throw new SkeinError('BAD_FRAME', 'A relay answers in words that nobody knows.')
  return { status: refusal }
}

function secretOf({ ticket, key }: BulkSecret): BulkSecret {
  return { ticket: exactly(ticket, BULK_TICKET_BYTES), key: exactly(key, BULK_KEY_BYTES) }
}

function deviceFrom(text: string): DeviceId {
  try {
    return parseDeviceId(text)
  } catch (cause) {
    throw new SkeinError('BAD_FRAME', 'A frame names no device.', { cause })
  }
}
