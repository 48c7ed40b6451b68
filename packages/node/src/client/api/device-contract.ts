/** The part of the contract about the account's own devices and delivery proofs. */
import { eventIterator, oc } from '@orpc/contract'
import * as z from 'zod/mini'

const Instant = z.int()

export const DeviceView = z.object({
  device: z.string(),
  /** What its owner calls it. */
  name: z.string(),
  /** Whether it is this one. */
  here: z.boolean(),
  online: z.boolean(),
  last_seen: z.nullable(Instant),
})
export type DeviceView = z.infer<typeof DeviceView>

export const LinkStep = z.discriminatedUnion('state', [
  z.object({ state: z.literal('waiting'), link: z.string(), expires_at: Instant }),
  /** Both screens show the same six digits, or somebody stands between them. */
  z.object({ state: z.literal('compare'), code: z.string(), device: z.string(), name: z.string() }),
  z.object({ state: z.literal('linked'), device: z.string() }),
  z.object({ state: z.literal('failed'), code: z.string(), message: z.string() }),
])
export type LinkStep = z.infer<typeof LinkStep>

export const JoinStep = z.discriminatedUnion('state', [
  z.object({ state: z.literal('connecting') }),
  z.object({ state: z.literal('compare'), code: z.string() }),
  /** The client starts anew, as a device of this account. */
  z.object({ state: z.literal('linked'), account: z.string(), device: z.string() }),
])
export type JoinStep = z.infer<typeof JoinStep>

const WrittenSigned = z.object({ statement: z.string(), signature: z.string() })
const ProvenMessageView = z.object({
  id: z.string(),
  created_at: Instant,
  kind: z.enum(['text', 'contact', 'timer', 'file', 'unknown', 'gone']),
  text: z.string(),
  reply_to: z.nullable(z.string()),
  shared: z.nullable(z.string()),
})
/** A proof as a file holds it; bytes in base64. */
export const ProofView = z.object({
  skein_delivery_proof: z.literal(1),
  message: ProvenMessageView,
  device_list: WrittenSigned,
  /** With a message or list of its own where that was another when it was acknowledged. */
  receipts: z.array(z.extend(WrittenSigned, { message: z.optional(ProvenMessageView), device_list: z.optional(WrittenSigned) })),
  stored: z.array(z.extend(WrittenSigned, { mailbox: z.string(), relay_key: z.string() })),
})

/** What a genuine proof says. */
export const CheckedProofView = z.object({
  message_id: z.string(),
  text: z.string(),
  sender: z.string(),
  recipient: z.string(),
  receipts: z.array(z.object({ device: z.string(), at: Instant, read: z.boolean(), text: z.string() })),
  stored: z.array(z.object({ mailbox: z.string(), relay_key: z.string(), at: Instant })),
})
export type CheckedProofView = z.infer<typeof CheckedProofView>

export const deviceContract = {
  /** Whether delivery proofs are made, with one contact or with all of whom nothing else was said; with `allowed` that is changed. */
  proofs: oc
    .input(z.object({ contact: z.optional(z.string().check(z.minLength(1), z.maxLength(200))), allowed: z.optional(z.boolean()) }))
    .output(z.object({ contact: z.nullable(z.string()), ours: z.boolean(), theirs: z.nullable(z.boolean()) })),
  /** What others have signed about a message of ours. */
  proof: oc.input(z.object({ id: z.string() })).output(z.object({ proof: ProofView })),
  /** Checks a proof, as a file holds it. */
  checkProof: oc.input(z.object({ file: z.string().check(z.maxLength(200_000)) })).output(CheckedProofView),
  /** `revoked`: this device was taken out on another one. */
  devices: oc.output(z.object({ devices: z.array(DeviceView), version: z.int(), revoked: z.boolean() })),
  /** Shows a link for a new device, and what becomes of it; ends when it is linked or has failed. Who stops reading takes the link back. */
  link: oc.output(eventIterator(LinkStep)),
  /** What the user says after comparing; `code` as the new device shows it, if it was typed. */
  decide: oc.input(z.object({ accept: z.boolean(), code: z.optional(z.string().check(z.maxLength(16))) })).output(z.object({})),
  /** Makes this one a device of the account that shows the link. */
  join: oc.input(z.object({ link: z.string().check(z.minLength(1), z.maxLength(400)) })).output(eventIterator(JoinStep)),
  /** Takes a device out of the account, by id, end of the id, or name. */
  revokeDevice: oc.input(z.object({ device: z.string().check(z.minLength(1), z.maxLength(64)) })).output(z.object({ device: z.string() })),
}
