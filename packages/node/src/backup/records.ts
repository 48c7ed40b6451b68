/** Lines of a backup (BK1). */
import { base64 } from '@scure/base'
import {
  type AccountId,
  type ClearMark,
  isAccountId,
  type MessageId,
  parseDeviceId,
  parseMessageId,
  type StoredAnnotation,
  type StoredContact,
  type StoredDevice,
  type StoredMessage,
} from '@skein/core'
import * as z from 'zod/mini'

export const VERSION = 1

const Bytes = parsed((text) => base64.decode(text))
const Account = parsed((text) => {
  if (!isAccountId(text)) throw new TypeError('no account id')
  return text
})
const Instant = z.int().check(z.nonnegative())
const Id = parsed(parseMessageId)
const Device = parsed(parseDeviceId)

/** Text that `parse` takes without throwing. */
function parsed<T>(parse: (text: string) => T) {
  return z.pipe(
    z.string(),
    z.transform((text, { issues }) => {
      try {
        return parse(text)
      } catch {
        issues.push({ code: 'custom', message: 'does not have the right form', input: text })
        return z.NEVER
      }
    }),
  )
}

const Header = z.object({ is: z.literal('backup'), version: z.literal(VERSION), account: Account, created_at: Instant })
const IdentityRecord = z.object({
  is: z.literal('identity'),
  account_seed: Bytes,
  list_version: z.int().check(z.positive()),
  created_at: Instant,
})
const ContactRecord = z.object({
  is: z.literal('contact'),
  account: Account,
  account_key: Bytes,
  petname: z.string(),
  claimed_name: z.string(),
  state: z.enum(['pending', 'requested', 'accepted']),
  trust: z.enum(['unverified', 'verified', 'changed']),
  card: Bytes,
  list_version: z.int().check(z.nonnegative()),
  relays: z.array(z.string()),
  /** Up to this stamp its conversation was deleted. */
  cleared: z.optional(z.object({ hlc_ms: z.int(), hlc_counter: z.int() })),
  blocked: z.boolean(),
  muted: z.boolean(),
  added_at: Instant,
  /** Newest message that the user has seen. */
  seen: z.nullable(Id),
  /** Of one who has not answered yet; only in what is sealed. */
  pending_invite: z.optional(z.string()),
  devices: z.array(z.object({ device: Device, dh_key: Bytes, bundle: Bytes })),
})
const MessageRecord = z.object({
  is: z.literal('message'),
  id: Id,
  contact: Account,
  direction: z.enum(['in', 'out']),
  sender: Device,
  kind: z.enum(['text', 'contact', 'timer', 'file', 'unknown', 'gone']),
  text: z.string(),
  reply_to: z.nullable(Id),
  shared: z.nullable(Account),
  disappear_after_ms: z.nullable(Instant),
  disappear_at: z.nullable(Instant),
  edited_at: z.nullable(Instant),
  deleted_at: z.nullable(Instant),
  own_reaction: z.nullable(z.string()),
  contact_reaction: z.nullable(z.string()),
  /** Backups made before it was kept for each message have none. */
  seen: z.optional(z.boolean()),
  state: z.enum(['queued', 'carried', 'delivered', 'read', 'failed']),
  reason: z.nullable(z.string()),
  created_at: Instant,
  hlc_ms: Instant,
  hlc_counter: z.int().check(z.nonnegative()),
  received_at: z.nullable(Instant),
  delivered_at: z.nullable(Instant),
})
/** What was said about a message: a later word counts against it (MK2). */
const AnnotationRecord = z.object({
  is: z.literal('annotation'),
  id: Id,
  contact: Account,
  target: Id,
  own: z.boolean(),
  kind: z.enum(['reaction', 'edit', 'deletion']),
  value: z.string(),
  hlc_ms: Instant,
  hlc_counter: z.int().check(z.nonnegative()),
  at: Instant,
})
const SettingRecord = z.object({ is: z.literal('setting'), key: z.string(), value: z.string() })
/** What there was, so that a cut file is known for one. */
const EndRecord = z.object({ is: z.literal('end'), contacts: z.int(), messages: z.int() })

export const BackupRecord = z.discriminatedUnion('is', [
  Header,
  IdentityRecord,
  ContactRecord,
  MessageRecord,
  AnnotationRecord,
  SettingRecord,
  EndRecord,
])
export type BackupRecord = z.output<typeof BackupRecord>
export type WrittenRecord = z.input<typeof BackupRecord>

/** Settings that belong to the person and not to the device. */
export const KEPT_SETTINGS: readonly string[] = ['hybrid-clock', 'own-card']

export const seenKey = (account: AccountId): string => `seen.${account}`

type ContactLine = z.output<typeof ContactRecord>
type AnnotationLine = z.output<typeof AnnotationRecord>
type MessageLine = z.output<typeof MessageRecord>

interface ContactRest {
  readonly seen: MessageId | null
  readonly devices: readonly StoredDevice[]
  readonly isSealed: boolean
  readonly cleared: ClearMark
}

export function contactRecord(contact: StoredContact, rest: ContactRest): WrittenRecord {
  return {
    is: 'contact',
    account: contact.account,
    account_key: base64.encode(contact.accountKey),
    petname: contact.petname,
    claimed_name: contact.claimedName,
    state: contact.state,
    trust: contact.trust,
    card: base64.encode(contact.card),
    list_version: contact.listVersion,
    relays: [...contact.relays],
    blocked: contact.blocked,
    muted: contact.muted,
    added_at: contact.addedAt,
    seen: rest.seen,
    ...(rest.cleared.hlcMs === 0 ? {} : { cleared: { hlc_ms: rest.cleared.hlcMs, hlc_counter: rest.cleared.hlcCounter } }),
    ...(rest.isSealed && contact.pendingInvite !== '' ? { pending_invite: contact.pendingInvite } : {}),
    devices: rest.devices.map(({ device, dhKey, bundle }) => ({ device, dh_key: base64.encode(dhKey), bundle: base64.encode(bundle) })),
  }
}

export function contactOf(line: ContactLine): StoredContact {
  const { account_key: accountKey, claimed_name: claimedName, list_version: listVersion, added_at: addedAt } = line
  const { account, petname, state, trust, card, relays, blocked, muted, pending_invite: pendingInvite = '' } = line
  return { account, accountKey, petname, claimedName, state, trust, card, listVersion, relays, blocked, muted, addedAt, pendingInvite }
}

export function messageRecord(message: StoredMessage): WrittenRecord {
  return {
    is: 'message',
    id: message.id,
    contact: message.contact,
    direction: message.direction,
    sender: message.sender,
    kind: message.kind,
    text: message.text,
    reply_to: message.replyTo,
    shared: message.shared,
    disappear_after_ms: message.disappearAfterMs,
    disappear_at: message.disappearAt,
    edited_at: message.editedAt,
    deleted_at: message.deletedAt,
    own_reaction: message.ownReaction,
    contact_reaction: message.contactReaction,
    seen: message.seen,
    state: message.state,
    reason: message.reason,
    created_at: message.createdAt,
    hlc_ms: message.hlcMs,
    hlc_counter: message.hlcCounter,
    received_at: message.receivedAt,
    delivered_at: message.deliveredAt,
  }
}

/** What was on its way is not: its outbox stayed behind (BK4). */
export function messageOf(line: MessageLine): StoredMessage {
  const isUnderWay = line.direction === 'out' && (line.state === 'queued' || line.state === 'carried')
  return {
    id: line.id,
    contact: line.contact,
    direction: line.direction,
    sender: line.sender,
    kind: line.kind,
    text: line.text,
    replyTo: line.reply_to,
    shared: line.shared,
    disappearAfterMs: line.disappear_after_ms,
    disappearAt: line.disappear_at,
    editedAt: line.edited_at,
    deletedAt: line.deleted_at,
    ownReaction: line.own_reaction,
    contactReaction: line.contact_reaction,
    seen: line.seen ?? true,
    state: isUnderWay ? 'failed' : line.state,
    reason: isUnderWay ? 'restored' : line.reason,
    createdAt: line.created_at,
    hlcMs: line.hlc_ms,
    hlcCounter: line.hlc_counter,
    receivedAt: line.received_at,
    deliveredAt: line.delivered_at,
  }
}

export function annotationRecord({ hlcMs, hlcCounter, ...said }: StoredAnnotation): WrittenRecord {
  const { id, contact, target, own, kind, value, at } = said
  return { is: 'annotation', id, contact, target, own, kind, value, hlc_ms: hlcMs, hlc_counter: hlcCounter, at }
}

export function annotationOf({ hlc_ms: hlcMs, hlc_counter: hlcCounter, ...line }: AnnotationLine): StoredAnnotation {
  const { id, contact, target, own, kind, value, at } = line
  return { id, contact, target, own, kind, value, hlcMs, hlcCounter, at }
}
