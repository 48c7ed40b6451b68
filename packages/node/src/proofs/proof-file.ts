import { base64 } from '@scure/base'
import {
  checkReceipt,
  checkStored,
  isAccountId,
  type MessageProof,
  openContactCard,
  parseMessageId,
  type Primitives,
  type ProvenMessage,
  SkeinError,
  decodeSigned,
} from '@skein/core'
import * as z from 'zod/mini'

const Bytes = z.pipe(
  z.string().check(z.maxLength(16_384), z.regex(/^[A-Za-z0-9+/]*={0,2}$/)),
  z.transform((text) => base64.decode(text)),
)
const Signed = z.object({ statement: Bytes, signature: Bytes })

const ProofSchema = z.object({
  skein_delivery_proof: z.literal(1),
  message: z.object({
    id: z.string(),
    created_at: z.int(),
    kind: z.enum(['text', 'contact', 'timer', 'file', 'unknown', 'gone']),
    text: z.string(),
    reply_to: z.nullable(z.string()),
    shared: z.nullable(z.string()),
  }),
  /** Signed by the recipient's account. */
  device_list: Signed,
  receipts: z.array(Signed).check(z.minLength(1), z.maxLength(64)),
  stored: z.array(z.extend(Signed, { mailbox: z.string().check(z.maxLength(400)), relay_key: Bytes })).check(z.maxLength(16)),
})
/** A proof as it is written: bytes in base64. */
export type ProofFile = z.input<typeof ProofSchema>

/** Everything that somebody else needs to check it, the text included. */
export function proofFile(primitives: Primitives, { message, proofs, card }: MessageProof): ProofFile {
  const { signedList } = openContactCard(primitives, decodeSigned(card))
  const written = ({ statement, signature }: { readonly statement: Uint8Array; readonly signature: Uint8Array }) => ({
    statement: base64.encode(statement),
    signature: base64.encode(signature),
  })
  const { id, createdAt, kind, text, replyTo, shared } = message
  return {
    skein_delivery_proof: 1,
    message: { id, created_at: createdAt, kind, text, reply_to: replyTo, shared },
    device_list: written(signedList),
    receipts: proofs.filter((each) => each.kind === 'receipt').map(written),
    stored: proofs
      .filter((each) => each.kind === 'stored')
      .map((each) => ({ ...written(each), mailbox: each.by, relay_key: base64.encode(each.key) })),
  }
}

export interface CheckedProof {
  readonly valid: true
  readonly message_id: string
  readonly text: string
  /** Account ids. */
  readonly sender: string
  readonly recipient: string
  readonly receipts: readonly { readonly device: string; readonly at: number; readonly read: boolean }[]
  /** Which mailbox took a copy when, by its own signature; which message was in it is the sender's word. */
  readonly stored: readonly { readonly mailbox: string; readonly relay_key: string; readonly at: number }[]
}

/** Checks a proof without a network. @throws SkeinError PROOF_INVALID */
export function checkProofFile(primitives: Primitives, text: string): CheckedProof {
  const proof = parsed(text)
  const message = messageOf(proof.message)
  const checked = proof.receipts.map((signed) => checkReceipt(primitives, signed, { deviceList: proof.device_list, message }))
  const [first] = checked
  if (first === undefined || checked.some(({ sender, messageId }) => sender !== first.sender || messageId !== message.id))
    throw new SkeinError('PROOF_INVALID', 'The receipts in this file are about different messages.')
  return {
    valid: true,
    message_id: message.id,
    text: message.text,
    sender: first.sender,
    recipient: first.recipient,
    receipts: checked.map(({ device, at, read }) => ({ device, at, read })),
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
