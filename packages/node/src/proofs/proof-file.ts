import { base64 } from '@scure/base'
import {
  checkReceipt,
  checkStored,
  isAccountId,
  type MessageProof,
  parseMessageId,
  type Primitives,
  type ProvenMessage,
  type ProvenReceipt,
  SkeinError,
} from '@skein/core'
import * as z from 'zod/mini'

const Bytes = z.pipe(
  z.string().check(z.maxLength(16_384), z.regex(/^[A-Za-z0-9+/]*={0,2}$/)),
  z.transform((text) => base64.decode(text)),
)
const Signed = z.object({ statement: Bytes, signature: Bytes })

const Message = z.object({
  id: z.string(),
  created_at: z.int(),
  kind: z.enum(['text', 'contact', 'timer', 'file', 'unknown', 'gone']),
  text: z.string(),
  reply_to: z.nullable(z.string()),
  shared: z.nullable(z.string()),
})
/** `message` and `device_list` where they were others than those of the file: before an edit, or with another device. */
const Receipt = z.extend(Signed, { message: z.optional(Message), device_list: z.optional(Signed) })

const ProofSchema = z.object({
  skein_delivery_proof: z.literal(1),
  message: Message,
  /** Signed by the recipient's account. */
  device_list: Signed,
  receipts: z.array(Receipt).check(z.minLength(1), z.maxLength(64)),
  stored: z.array(z.extend(Signed, { mailbox: z.string().check(z.maxLength(400)), relay_key: Bytes })).check(z.maxLength(16)),
})
/** A proof as it is written: bytes in base64. */
export type ProofFile = z.input<typeof ProofSchema>

const written = ({ statement, signature }: { readonly statement: Uint8Array; readonly signature: Uint8Array }) => ({
  statement: base64.encode(statement),
  signature: base64.encode(signature),
})

function writtenReceipt({ message, deviceList, ...signed }: ProvenReceipt) {
  const { id, createdAt, kind, text, replyTo, shared } = message
  const subject: ProofFile['message'] = { id, created_at: createdAt, kind, text, reply_to: replyTo, shared }
  return { ...written(signed), message: subject, device_list: written(deviceList) }
}

/** What a receipt is about is said by itself only where it is another than that of the file. */
function shortened(receipt: ReturnType<typeof writtenReceipt>, file: Pick<ProofFile, 'message' | 'device_list'>) {
  const { statement, signature, message, device_list } = receipt
  const isOther = (one: object, other: object): boolean => JSON.stringify(one) !== JSON.stringify(other)
  return {
    ...{ statement, signature },
    ...(isOther(message, file.message) ? { message } : {}),
    ...(isOther(device_list, file.device_list) ? { device_list } : {}),
  }
}

/** Everything that somebody else needs to check it, the text included. @throws SkeinError PROOFS_OFF where nobody has signed anything */
export function proofFile({ receipts, stored }: MessageProof): ProofFile {
  const all = receipts.map(writtenReceipt)
  const last = all.at(-1)
  if (last === undefined) throw new SkeinError('PROOFS_OFF', 'Nobody has signed that this message came.')
  return {
    skein_delivery_proof: 1,
    message: last.message,
    device_list: last.device_list,
    receipts: all.map((each) => shortened(each, last)),
    stored: stored.map((each) => ({ ...written(each), mailbox: each.by, relay_key: base64.encode(each.key) })),
  }
}

interface CheckedReceiptOf {
  readonly device: string
  readonly at: number
  readonly read: boolean
  /** As this device has acknowledged it: before or after an edit. */
  readonly text: string
}

export interface CheckedProof {
  readonly valid: true
  readonly message_id: string
  readonly text: string
  /** Account ids. */
  readonly sender: string
  readonly recipient: string
  readonly receipts: readonly CheckedReceiptOf[]
  /** Which mailbox took a copy when, by its own signature; which message was in it is the sender's word. */
  readonly stored: readonly { readonly mailbox: string; readonly relay_key: string; readonly at: number }[]
}

/** Checks a proof without a network. @throws SkeinError PROOF_INVALID */
export function checkProofFile(primitives: Primitives, text: string): CheckedProof {
  const proof = parsed(text)
  const whole = messageOf(proof.message)
  const checked = proof.receipts.map(({ message, device_list: deviceList = proof.device_list, ...signed }) => {
    const subject = message === undefined ? whole : messageOf(message)
    return { ...checkReceipt(primitives, signed, { deviceList, message: subject }), text: subject.text }
  })
  const [first] = checked
  const isOf = ({ sender, recipient, messageId }: (typeof checked)[number]): boolean =>
    sender === first?.sender && recipient === first.recipient && messageId === whole.id
  if (first === undefined || !checked.every(isOf))
    throw new SkeinError('PROOF_INVALID', 'The receipts in this file are about different messages.')
  return {
    valid: true,
    message_id: whole.id,
    text: whole.text,
    sender: first.sender,
    recipient: first.recipient,
    receipts: checked.map(({ device, at, read, text: acknowledged }) => ({ device, at, read, text: acknowledged })),
    stored: proof.stored.map((each) => ({
      mailbox: each.mailbox,
      relay_key: base64.encode(each.relay_key),
      at: checkStored(primitives, each, each.relay_key),
    })),
  }
}

function parsed(text: string): z.output<typeof ProofSchema> {
  try {
    return ProofSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new SkeinError('PROOF_INVALID', 'This file is no delivery proof.', { cause })
  }
}

function messageOf(said: z.output<typeof ProofSchema>['message']): ProvenMessage {
  const { id, created_at: createdAt, kind, text, reply_to: replyTo, shared } = said
  if (shared !== null && !isAccountId(shared)) throw new SkeinError('PROOF_INVALID', 'This file is no delivery proof.')
  try {
    return { id: parseMessageId(id), createdAt, kind, text, replyTo: replyTo === null ? null : parseMessageId(replyTo), shared }
  } catch (cause) {
    throw new SkeinError('PROOF_INVALID', 'This file is no delivery proof.', { cause })
  }
}
