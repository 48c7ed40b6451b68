/** What is inside the seal of a message. */
import { SkeinError } from '../errors/index.ts'
import { accountDigest, accountIdFromDigest, type AccountId, type MessageId, messageIdBytes, messageIdFromBytes } from '../ids.ts'
import { decode, encode } from './codec.ts'
import { Content, Typing } from './gen/skein_pb.ts'
import { MAX_DISAPPEAR_S, MAX_EMOJI_BYTES, MAX_MANIFEST_BYTES, MAX_NAME_CHARS, MAX_TEXT_BYTES } from './limits.ts'

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
  | {
      readonly kind: 'text'
      readonly text: string
      readonly replyTo?: MessageId
      /** Seconds from reading until it disappears, 1 to MAX_DISAPPEAR_S. */
      readonly disappearAfter?: number
    }
  /** Somebody whom the recipient may ask for contact, as the sender calls them. */
  | { readonly kind: 'contact'; readonly account: AccountId; readonly name: string }
  /** Texts of this conversation disappear so many seconds after reading from now on; 0: they stay. */
  | { readonly kind: 'timer'; readonly after: number }
  /** At most MAX_EMOJI_BYTES; empty takes it back. */
  | { readonly kind: 'reaction'; readonly target: MessageId; readonly emoji: string }
  /** Of a message of the sender. */
  | { readonly kind: 'edit'; readonly target: MessageId; readonly text: string }
  | { readonly kind: 'deletion'; readonly target: MessageId }
  /** A file that may be fetched from the sender: an encoded FileManifest. */
  | { readonly kind: 'file'; readonly manifest: Uint8Array }
  /** About a file that was offered: an encoded MailedWord. In no history. */
  | { readonly kind: 'file-word'; readonly transfer: MessageId; readonly word: Uint8Array }
  /** The sender has started a new session. */
  | { readonly kind: 'reset' }
  /** Between the programs of two devices: an encoded DeliveryControl. In no history. */
  | { readonly kind: 'control'; readonly control: Uint8Array }
  /** Between two devices of one account: an encoded OwnWord. In no history. */
  | { readonly kind: 'own'; readonly own: Uint8Array }
  /** Of a version newer than ours. */
  | { readonly kind: 'unknown' }

type SentBody = Exclude<ContentBody, { kind: 'unknown' }>

/** @throws SkeinError MESSAGE_TOO_LARGE when the text has more than MAX_TEXT_BYTES bytes in UTF-8, USAGE for a reaction, name or time out of range */
export function encodeContent(content: ContentFields & { readonly body: SentBody }): Uint8Array {
  const broken = brokenBody(content.body)
  if (broken === 'MESSAGE_TOO_LARGE')
    throw new SkeinError(broken, `A message holds at most ${MAX_TEXT_BYTES} bytes of text; send a file instead.`)
  if (broken !== undefined) throw new SkeinError('USAGE', 'A reaction, a name or a time is out of range.')
  return encode(Content, {
    id: messageIdBytes(content.id),
    hlcMs: content.hlcMs,
    hlcCounter: content.hlcCounter,
    createdAt: content.createdAt,
    kind: kindOf(content.body),
  })
}

function kindOf(body: SentBody): Content['kind'] {
  switch (body.kind) {
    case 'text': {
      const { text, replyTo, disappearAfter = 0 } = body
      return { $case: 'text', value: { body: text, replyTo: replyTo === undefined ? NOTHING : messageIdBytes(replyTo), disappearAfter } }
    }
    case 'contact':
      return { $case: 'contact', value: { accountDigest: accountDigest(body.account), name: body.name } }
    case 'timer':
      return { $case: 'timer', value: { after: body.after } }
    case 'reaction':
      return { $case: 'reaction', value: { target: messageIdBytes(body.target), emoji: body.emoji } }
    case 'edit':
      return { $case: 'edit', value: { target: messageIdBytes(body.target), body: body.text } }
    case 'deletion':
      return { $case: 'deletion', value: { target: messageIdBytes(body.target) } }
    case 'control':
      return { $case: 'control', value: body.control }
    case 'file':
      return { $case: 'file', value: body.manifest }
    case 'file-word':
      return { $case: 'fileWord', value: { transfer: messageIdBytes(body.transfer), word: body.word } }
    case 'own':
      return { $case: 'own', value: body.own }
    case 'reset':
      return { $case: 'reset', value: {} }
  }
}

const NOTHING = new Uint8Array()

/** Which bound a body breaks (WF2, WF12). */
function brokenBody(body: ContentBody): 'MESSAGE_TOO_LARGE' | 'BAD_FRAME' | undefined {
  if ((body.kind === 'text' || body.kind === 'edit') && utf8Length(body.text) > MAX_TEXT_BYTES) return 'MESSAGE_TOO_LARGE'
  if (body.kind === 'text' && (body.disappearAfter ?? 0) > MAX_DISAPPEAR_S) return 'BAD_FRAME'
  if (body.kind === 'file' && body.manifest.length > MAX_MANIFEST_BYTES) return 'BAD_FRAME'
  if (body.kind === 'timer' && body.after > MAX_DISAPPEAR_S) return 'BAD_FRAME'
  if (body.kind === 'reaction' && utf8Length(body.emoji) > MAX_EMOJI_BYTES) return 'BAD_FRAME'
  return body.kind === 'contact' && [...body.name].length > MAX_NAME_CHARS ? 'BAD_FRAME' : undefined
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE, MESSAGE_TOO_LARGE */
export function decodeContent(bytes: Uint8Array): ContentFields {
  const content = decode(Content, bytes)
  if (content.hlcCounter > 0xffff) throw new SkeinError('BAD_FRAME', 'A clock is out of range.')
  const body = bodyOf(content.kind)
  const broken = brokenBody(body)
  if (broken !== undefined) throw new SkeinError(broken, 'Something in a message is larger than its limit.')
  return {
    id: messageIdFromBytes(content.id),
    hlcMs: content.hlcMs,
    hlcCounter: content.hlcCounter,
    createdAt: content.createdAt,
    body,
  }
}

function bodyOf(kind: Content['kind']): ContentBody {
  switch (kind?.$case) {
    case 'text': {
      const { body: text, replyTo, disappearAfter } = kind.value
      const reply = replyTo.length === 0 ? {} : { replyTo: messageIdFromBytes(replyTo) }
      return { kind: 'text', text, ...reply, ...(disappearAfter === 0 ? {} : { disappearAfter }) }
    }
    case 'contact':
      return { kind: 'contact', account: accountOf(kind.value.accountDigest), name: kind.value.name }
    case 'timer':
      return { kind: 'timer', after: kind.value.after }
    case 'reaction':
      return { kind: 'reaction', target: messageIdFromBytes(kind.value.target), emoji: kind.value.emoji }
    case 'edit':
      return { kind: 'edit', target: messageIdFromBytes(kind.value.target), text: kind.value.body }
    case 'deletion':
      return { kind: 'deletion', target: messageIdFromBytes(kind.value.target) }
    case 'control':
      return { kind: 'control', control: kind.value }
    case 'file':
      return { kind: 'file', manifest: kind.value }
    case 'fileWord':
      return { kind: 'file-word', transfer: messageIdFromBytes(kind.value.transfer), word: kind.value.word }
    case 'own':
      return { kind: 'own', own: kind.value }
    case 'reset':
      return { kind: 'reset' }
    case undefined:
      return { kind: 'unknown' }
  }
}

function accountOf(digest: Uint8Array): AccountId {
  if (digest.length !== 32) throw new SkeinError('BAD_FRAME', 'An account digest has 32 bytes.')
  return accountIdFromDigest(digest)
}

export function encodeTyping(active: boolean): Uint8Array {
  return encode(Typing, { active })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeTyping(bytes: Uint8Array): boolean {
  return decode(Typing, bytes).active
}
