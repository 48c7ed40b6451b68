/** Messages, and what was said about them, as one device of an account hands them to another. */
import { SkeinError } from '../errors/index.ts'
import {
  accountDigest,
  accountIdFromDigest,
  type AccountId,
  type DeviceId,
  deviceIdFromKey,
  deviceKey,
  messageIdBytes,
  messageIdFromBytes,
} from '../ids.ts'
import type { StoredAnnotation, StoredMessage } from '../ports/store.ts'
import { exactly } from './codec.ts'
import type { HistoryAnnotation, HistoryMessage } from './gen/devices_pb.ts'
import { MAX_TEXT_BYTES } from './limits.ts'

export function accountOf(digest: Uint8Array): AccountId {
  return accountIdFromDigest(exactly(digest, 32))
}

export function deviceOf(key: Uint8Array): DeviceId {
  return deviceIdFromKey(exactly(key, 32))
}

export function oneOf<T extends string>(word: string, known: readonly T[]): T {
  const found = known.find((each) => each === word)
  if (found === undefined) throw new SkeinError('BAD_FRAME', 'A word is none that is known.')
  return found
}

const NOTHING = new Uint8Array()
/** Instants and spans are never 0, which stands for none. */
const orNone = (value: number): number | null => (value === 0 ? null : value)

export function messageMessage(message: StoredMessage): HistoryMessage {
  return {
    id: messageIdBytes(message.id),
    accountDigest: accountDigest(message.contact),
    sender: deviceKey(message.sender),
    outgoing: message.direction === 'out',
    kind: message.kind,
    text: message.text,
    replyTo: message.replyTo === null ? NOTHING : messageIdBytes(message.replyTo),
    shared: message.shared === null ? NOTHING : accountDigest(message.shared),
    disappearAfter: message.disappearAfterMs ?? 0,
    disappearAt: message.disappearAt ?? 0,
    editedAt: message.editedAt ?? 0,
    deletedAt: message.deletedAt ?? 0,
    state: message.state,
    reason: message.reason ?? '',
    createdAt: message.createdAt,
    hlcMs: message.hlcMs,
    hlcCounter: message.hlcCounter,
    receivedAt: message.receivedAt ?? 0,
    deliveredAt: message.deliveredAt ?? 0,
    unseen: !message.seen,
  }
}

export function messageOf(message: HistoryMessage): StoredMessage {
  // A text is counted in bytes where it is sealed; here it bounds memory.
  if (message.text.length > MAX_TEXT_BYTES || message.hlcCounter > 0xffff) throw new SkeinError('BAD_FRAME', 'A message is out of range.')
  return {
    id: messageIdFromBytes(message.id),
    contact: accountOf(message.accountDigest),
    sender: deviceOf(message.sender),
    direction: message.outgoing ? 'out' : 'in',
    kind: oneOf(message.kind, ['text', 'contact', 'timer', 'file', 'unknown', 'gone']),
    text: message.text,
    replyTo: message.replyTo.length === 0 ? null : messageIdFromBytes(message.replyTo),
    shared: message.shared.length === 0 ? null : accountOf(message.shared),
    disappearAfterMs: orNone(message.disappearAfter),
    disappearAt: orNone(message.disappearAt),
    editedAt: orNone(message.editedAt),
    deletedAt: orNone(message.deletedAt),
    ownReaction: null,
    contactReaction: null,
    seen: !message.unseen,
    state: oneOf(message.state, ['queued', 'carried', 'delivered', 'read', 'failed']),
    reason: message.reason === '' ? null : message.reason,
    createdAt: message.createdAt,
    hlcMs: message.hlcMs,
    hlcCounter: message.hlcCounter,
    receivedAt: orNone(message.receivedAt),
    deliveredAt: orNone(message.deliveredAt),
  }
}

export function annotationMessage({ contact, id, target, ...annotation }: StoredAnnotation): HistoryAnnotation {
  return { ...annotation, id: messageIdBytes(id), accountDigest: accountDigest(contact), target: messageIdBytes(target) }
}

export function annotationOf({ accountDigest: digest, id, target, ...annotation }: HistoryAnnotation): StoredAnnotation {
  return {
    ...annotation,
    contact: accountOf(digest),
    id: messageIdFromBytes(id),
    target: messageIdFromBytes(target),
    kind: oneOf(annotation.kind, ['reaction', 'edit', 'deletion']),
  }
}
