/** What the programs of two devices tell each other about delivery, inside the seal. */
import { SkeinError } from '../errors/index.ts'
import { type MessageId, messageIdBytes, messageIdFromBytes } from '../ids.ts'
import { atMost, decode, encode, exactly } from './codec.ts'
import { DeliveryControl, type DeliveryReceipt } from './gen/mailbox_pb.ts'
import { decodeHandover, encodeHandover, type HandoverFields } from './handover.ts'
import { MAX_GRANTED_TOKENS, MAX_MISSING, MAX_RECEIPTS, MAX_URL_CHARS } from './limits.ts'
import { TOKEN_BYTES } from './mailbox.ts'
import { decodeSigned, encodeSigned, type SignedBytes } from './signed.ts'

const ID_BYTES = 16
const SIGNATURE_BYTES = 64
const MAX_REASON_CHARS = 32

export type DeliveryControlFields =
  | ReceiptFields
  /** Tokens with which mail may be left at `mailbox`. */
  | { readonly kind: 'grant'; readonly mailbox: string; readonly tokens: readonly Uint8Array[] }
  /** Sequence numbers of messages that have not come. */
  | { readonly kind: 'missing'; readonly seqs: readonly number[] }
  /** What carriers hold, and no receipt has come for. */
  | { readonly kind: 'unconfirmed'; readonly messages: readonly UnconfirmedMessage[] }
  /** Delivery tags for mail to the sender, for the days ahead. */
  | { readonly kind: 'handover'; readonly handover: HandoverFields }
  /** The sender's account has other devices than before. */
  | { readonly kind: 'card'; readonly card: SignedBytes }
  /** Whether the sender allows delivery proofs. */
  | { readonly kind: 'proofs'; readonly allowed: boolean }
  /** Of a newer version; nothing is done about it. */
  | { readonly kind: 'unknown' }

export interface UnconfirmedMessage {
  readonly message: MessageId
  readonly seq: number
}

export interface ReceiptFields {
  readonly kind: 'receipt'
  readonly delivered: readonly MessageId[]
  readonly read: readonly MessageId[]
  /** Milliseconds since 1970, by the receiver's clock. */
  readonly at: number
  /** For each of `delivered` and then of `read`, 64 bytes one after the other; none unless both sides allow proofs. */
  readonly proofs: Uint8Array
  /** Between devices of one account alone: what its sender has given up, and what carriers hold. */
  readonly failed?: readonly FailedMessage[]
  readonly carried?: readonly MessageId[]
}

export interface FailedMessage {
  readonly message: MessageId
  /** At most 32 characters. */
  readonly reason: string
}

export function encodeDeliveryControl(control: DeliveryControlFields): Uint8Array {
  return encode(DeliveryControl, { kind: kindOf(control) })
}

function kindOf(control: DeliveryControlFields): DeliveryControl['kind'] {
  switch (control.kind) {
    case 'receipt': {
      const { delivered, read, at, proofs, failed = [], carried = [] } = control
      const own = {
        failed: joined(failed.map(({ message }) => message)),
        reasons: failed.map(({ reason }) => reason),
        carried: joined(carried),
      }
      const signature = new Uint8Array()
      return { $case: 'receipt', value: { delivered: joined(delivered), read: joined(read), at, signature, proofs, ...own } }
    }
    case 'grant':
      return { $case: 'grant', value: { mailbox: control.mailbox, tokens: [...control.tokens] } }
    case 'missing':
      return { $case: 'missing', value: { seqs: [...control.seqs] } }
    case 'unconfirmed': {
      const { messages } = control
      return {
        $case: 'unconfirmed',
        value: { messages: joined(messages.map(({ message }) => message)), seqs: messages.map(({ seq }) => seq) },
      }
    }
    case 'handover':
      return { $case: 'handover', value: encodeHandover({ ...control.handover, oneTime: undefined }) }
    case 'card':
      return { $case: 'card', value: encodeSigned(control.card) }
    case 'proofs':
      return { $case: 'proofs', value: { allowed: control.allowed } }
    case 'unknown':
      return undefined
  }
}

function joined(ids: readonly MessageId[]): Uint8Array {
  const bytes = new Uint8Array(ids.length * ID_BYTES)
  for (const [at, id] of ids.entries()) bytes.set(messageIdBytes(id), at * ID_BYTES)
  return bytes
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeDeliveryControl(bytes: Uint8Array): DeliveryControlFields {
  const { kind } = decode(DeliveryControl, bytes)
  switch (kind?.$case) {
    case 'receipt':
      return receiptOf(kind.value)
    case 'grant':
      return grantOf(kind.value)
    case 'missing':
      return { kind: 'missing', seqs: atMost(kind.value.seqs, MAX_MISSING) }
    case 'unconfirmed':
      return { kind: 'unconfirmed', messages: unconfirmedOf(kind.value) }
    case 'handover':
      return handedOver(kind.value)
    case 'card':
      return { kind: 'card', card: decodeSigned(kind.value) }
    case 'proofs':
      return { kind: 'proofs', allowed: kind.value.allowed }
    case undefined:
      return { kind: 'unknown' }
  }
}

function receiptOf({ at, ...receipt }: Omit<DeliveryReceipt, 'signature'>): ReceiptFields {
  const [delivered, read] = [idsIn(receipt.delivered), idsIn(receipt.read)]
  const { proofs } = receipt
  if (proofs.length !== 0) exactly(proofs, (delivered.length + read.length) * SIGNATURE_BYTES)
  const [failed, carried] = [failedIn(receipt), idsIn(receipt.carried)]
  return {
    kind: 'receipt',
    delivered,
    read,
    at,
    proofs,
    ...(failed.length > 0 ? { failed } : {}),
    ...(carried.length > 0 ? { carried } : {}),
  }
}

function failedIn({ failed, reasons }: Pick<DeliveryReceipt, 'failed' | 'reasons'>): readonly FailedMessage[] {
  const ids = idsIn(failed)
  if (ids.length !== reasons.length || reasons.some((reason) => reason.length > MAX_REASON_CHARS))
    throw new SkeinError('BAD_FRAME', 'Messages that failed and their reasons do not go together.')
  return ids.map((message, at) => ({ message, reason: reasons[at] ?? '' }))
}

function unconfirmedOf({ messages, seqs }: { messages: Uint8Array; seqs: number[] }): readonly UnconfirmedMessage[] {
  const ids = idsIn(messages)
  if (ids.length !== atMost(seqs, MAX_MISSING).length) throw new SkeinError('BAD_FRAME', 'Messages and their numbers do not go together.')
  return ids.map((message, at) => ({ message, seq: seqs[at] ?? 0 }))
}

function handedOver(bytes: Uint8Array): DeliveryControlFields {
  const handover = decodeHandover(bytes)
  if (handover === undefined) throw new SkeinError('BAD_FRAME', 'Delivery tags are missing.')
  return { kind: 'handover', handover: { ...handover, oneTime: undefined } }
}

function idsIn(bytes: Uint8Array): readonly MessageId[] {
  if (bytes.length % ID_BYTES !== 0 || bytes.length > MAX_RECEIPTS * ID_BYTES)
    throw new SkeinError('BAD_FRAME', 'A receipt has the wrong length.')
  return Array.from({ length: bytes.length / ID_BYTES }, (_, at) => messageIdFromBytes(bytes.slice(at * ID_BYTES, (at + 1) * ID_BYTES)))
}

function grantOf({ mailbox, tokens }: { mailbox: string; tokens: Uint8Array[] }): DeliveryControlFields {
  if (mailbox.length > MAX_URL_CHARS || !/^https?:\/\/[^\s#]+$/.test(mailbox)) throw new SkeinError('BAD_FRAME', 'A mailbox is not a URL.')
  return { kind: 'grant', mailbox, tokens: atMost(tokens, MAX_GRANTED_TOKENS).map((each) => exactly(each, TOKEN_BYTES)) }
}
