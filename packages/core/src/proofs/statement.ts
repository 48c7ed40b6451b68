/** What a device signs about a message that it has got (DP1), made anew by whoever checks it. */
import { accountDigest, accountIdFromDigest, messageIdBytes, messageIdFromBytes } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { StoredMessage } from '../ports/store.ts'
import { decode, encode } from '../wire/codec.ts'
import { DeliveryStatement, ProofSubject } from '../wire/gen/proofs_pb.ts'

/** The parts of a message that a proof is about: as they were when it came. */
export type ProvenMessage = Pick<StoredMessage, 'id' | 'createdAt' | 'kind' | 'text' | 'replyTo' | 'shared'>

/** Under which statements are signed. */
export const PROOF_LABEL = 'skein delivery proof v1'
/** Of each message that a receipt names. */
export const SIGNATURE_BYTES = 64

const NOTHING = new Uint8Array()

export function encodeSubject({ id, createdAt, kind, text, replyTo, shared }: ProvenMessage): Uint8Array {
  return encode(ProofSubject, {
    ...{ id: messageIdBytes(id), createdAt, kind, text },
    replyTo: replyTo === null ? NOTHING : messageIdBytes(replyTo),
    shared: shared === null ? NOTHING : accountDigest(shared),
  })
}

/** Of what encodeSubject gave. */
export function decodeSubject(bytes: Uint8Array): ProvenMessage {
  const { id, createdAt, kind, text, replyTo, shared } = decode(ProofSubject, bytes)
  return {
    ...{ id: messageIdFromBytes(id), createdAt, kind: kind as ProvenMessage['kind'], text },
    replyTo: replyTo.length === 0 ? null : messageIdFromBytes(replyTo),
    shared: shared.length === 0 ? null : accountIdFromDigest(shared),
  }
}

/** SHA-256, 32 bytes. */
export function messageDigest(primitives: Primitives, message: ProvenMessage): Uint8Array {
  return primitives.sha256(encodeSubject(message))
}

export interface StatementFields {
  readonly messageId: Uint8Array
  readonly messageDigest: Uint8Array
  /** Ed25519, 32 bytes each. */
  readonly senderAccountKey: Uint8Array
  readonly recipientAccountKey: Uint8Array
  readonly deviceKey: Uint8Array
  /** Milliseconds since 1970. */
  readonly at: number
  readonly read: boolean
}

export function encodeStatement(statement: StatementFields): Uint8Array {
  return encode(DeliveryStatement, statement)
}

/** What is signed about a message as it is now. */
export function statementOf(
  primitives: Primitives,
  message: StoredMessage,
  said: Omit<StatementFields, 'messageId' | 'messageDigest'>,
): Uint8Array {
  return encodeStatement({ ...said, messageId: messageIdBytes(message.id), messageDigest: messageDigest(primitives, message) })
}
