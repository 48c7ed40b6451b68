/** What is inside the seal of a message. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode, safeInteger } from './codec.ts'
import { ContentSchema } from './gen/skein_pb.ts'
import { MAX_TEXT_BYTES } from './limits.ts'

export interface ContentFields {
  readonly hlcMs: number
  /** 0 to 65,535. */
  readonly hlcCounter: number
  /** Sender's wall clock, milliseconds since 1970. */
  readonly createdAt: number
  readonly text: string
}

/** @throws SkeinError MESSAGE_TOO_LARGE when the text has more than MAX_TEXT_BYTES bytes in UTF-8 */
export function encodeContent(content: ContentFields): Uint8Array {
  if (new TextEncoder().encode(content.text).length > MAX_TEXT_BYTES) {
    throw new SkeinError('MESSAGE_TOO_LARGE', `A message holds at most ${MAX_TEXT_BYTES} bytes of text; send a file instead.`)
  }
  return encode(ContentSchema, {
    hlcMs: BigInt(content.hlcMs),
    hlcCounter: content.hlcCounter,
    createdAt: BigInt(content.createdAt),
    kind: { case: 'text', value: { body: content.text } },
  })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeContent(bytes: Uint8Array): ContentFields {
  const content = decode(ContentSchema, bytes)
  if (content.kind.case !== 'text' || content.hlcCounter > 0xffff) throw new SkeinError('BAD_FRAME', 'A message is of an unknown kind.')
  return {
    hlcMs: safeInteger(content.hlcMs),
    hlcCounter: content.hlcCounter,
    createdAt: safeInteger(content.createdAt),
    text: content.kind.value.body,
  }
}
