/** `/skein/card/1`: one request to a relay, one reply. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode, exactly } from './codec.ts'
import { CardReply, CardRequest } from './gen/skein_pb.ts'
import { MAX_CARD_BYTES } from './limits.ts'

export type CardRequestFrame =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array; readonly expiresAt: number }
  | { readonly kind: 'get'; readonly key: Uint8Array }

const OUTCOMES = ['ok', 'none', 'full', 'too-large', 'refused'] as const
export type CardOutcome = (typeof OUTCOMES)[number]

export interface CardReplyFrame {
  readonly outcome: CardOutcome
  /** Empty unless a `get` found something. */
  readonly value: Uint8Array
}

export function encodeCardRequest(request: CardRequestFrame): Uint8Array {
  if (request.kind === 'get') return encode(CardRequest, { kind: { $case: 'get', value: { key: request.key } } })
  const value = { key: request.key, value: request.value, expiresAt: request.expiresAt }
  return encode(CardRequest, { kind: { $case: 'put', value } })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeCardRequest(bytes: Uint8Array): CardRequestFrame {
  const { kind } = decode(CardRequest, bytes)
  if (kind?.$case === 'get') return { kind: 'get', key: exactly(kind.value.key, 32) }
  if (kind?.$case !== 'put') throw new SkeinError('BAD_FRAME', 'A card request is neither put nor get.')
  if (kind.value.value.length > MAX_CARD_BYTES) throw new SkeinError('FRAME_TOO_LARGE', 'A card is larger than the limit.')
  return { kind: 'put', key: exactly(kind.value.key, 32), value: kind.value.value, expiresAt: kind.value.expiresAt }
}

export function encodeCardReply(reply: CardReplyFrame): Uint8Array {
  return encode(CardReply, { outcome: reply.outcome, value: reply.value })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeCardReply(bytes: Uint8Array): CardReplyFrame {
  const { outcome, value } = decode(CardReply, bytes)
  const known = OUTCOMES.find((each) => each === outcome)
  if (known === undefined) throw new SkeinError('BAD_FRAME', 'A card reply has an unknown outcome.')
  return { outcome: known, value }
}
