/** What is inside the seal of a message. */
import { SkeinError } from '../errors/index.ts'
import { type MessageId, messageIdBytes, messageIdFromBytes } from '../ids.ts'
import { decode, encode } from './codec.ts'
import { Content } from './gen/skein_pb.ts'
import { MAX_TEXT_BYTES } from './limits.ts'

export interface ContentFields {
  readonly id: MessageId
  readonly hlcMs: number
  /** 0 to 65,535. */
  readonly hlcCounter: number
  /** Sender's wall clock, milliseconds since 1970. */
  readonly createdAt: number
  readonly body: ContentBody
}

export type ContentBody =
  | { readonly kind: 'text'; readonly text: string }
  /** The sender has started a new session. */
  | { readonly kind: 'reset' }
  /** Between the programs of two devices: an encoded DeliveryControl. In no history. */
  | { readonly kind: 'control'; readonly control: Uint8Array }

/** @throws SkeinError MESSAGE_TOO_LARGE when the text has more than MAX_TEXT_BYTES bytes in UTF-8 */
export function encodeContent(content: ContentFields): Uint8Array {
  const { body } = content
  if (body.kind === 'text' && utf8Length(body.text) > MAX_TEXT_BYTES) {
    throw new SkeinError('MESSAGE_TOO_LARGE', `A message holds at most ${MAX_TEXT_BYTES} bytes of text; send a file instead.`)
  }
  return encode(Content, {
    id: messageIdBytes(content.id),
    hlcMs: content.hlcMs,
    hlcCounter: content.hlcCounter,
    createdAt: content.createdAt,
    kind: kindOf(body),
  })
}

function kindOf(body: ContentBody): Content['kind'] {
  if (body.kind === 'text') return { $case: 'text', value: { body: body.text } }
  return body.kind === 'control' ? { $case: 'control', value: body.control } : { $case: 'reset', value: {} }
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE, MESSAGE_TOO_LARGE */
export function decodeContent(bytes: Uint8Array): ContentFields {
  const content = decode(Content, bytes)
  if (content.hlcCounter > 0xffff) throw new SkeinError('BAD_FRAME', 'A clock is out of range.')
  return {
    id: messageIdFromBytes(content.id),
    hlcMs: content.hlcMs,
    hlcCounter: content.hlcCounter,
    createdAt: content.createdAt,
    body: bodyOf(content.kind),
  }
}

function bodyOf(kind: Content['kind']): ContentBody {
  if (kind?.$case === 'reset') return { kind: 'reset' }
  if (kind?.$case === 'control') return { kind: 'control', control: kind.value }
  if (kind?.$case !== 'text') throw new SkeinError('BAD_FRAME', 'A message is of an unknown kind.')
  if (utf8Length(kind.value.body) > MAX_TEXT_BYTES) throw new SkeinError('MESSAGE_TOO_LARGE', 'A text is larger than the limit.')
  return { kind: 'text', text: kind.value.body }
}
