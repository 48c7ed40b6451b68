/** One schema for every SQLite that Skein runs on; migrations are generated from it (`npm run gen`). */
import { sql } from 'drizzle-orm'
import { customType, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Bytes as Uint8Array: drizzle's own blob modes want Buffer, which browsers have not. */
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'blob',
  fromDriver: (value) => new Uint8Array(value),
})

export const identity = sqliteTable('identity', {
  id: integer('id').primaryKey(),
  accountSeed: bytes('account_seed').notNull(),
  deviceSeed: bytes('device_seed').notNull(),
  dhSecret: bytes('dh_secret').notNull(),
  createdAt: integer('created_at').notNull(),
})

export const contacts = sqliteTable('contacts', {
  account: text('account').primaryKey(),
  accountKey: bytes('account_key').notNull(),
  petname: text('petname').notNull().unique(),
  claimedName: text('claimed_name').notNull(),
  state: text('state', { enum: ['pending', 'requested', 'accepted'] }).notNull(),
  trust: text('trust', { enum: ['unverified', 'verified', 'changed'] }).notNull(),
  card: bytes('card').notNull(),
  listVersion: integer('list_version').notNull(),
  relays: text('relays', { mode: 'json' }).$type<readonly string[]>().notNull(),
  blocked: integer('blocked', { mode: 'boolean' }).notNull(),
  muted: integer('muted', { mode: 'boolean' }).notNull(),
  addedAt: integer('added_at').notNull(),
  pendingInvite: text('pending_invite').notNull(),
})

export const devices = sqliteTable(
  'devices',
  {
    device: text('device').primaryKey(),
    account: text('account').notNull(),
    dhKey: bytes('dh_key').notNull(),
    lastSeen: integer('last_seen'),
    cardSent: integer('card_sent').notNull(),
    bundle: bytes('bundle').notNull(),
    handover: bytes('handover').notNull(),
  },
  (table) => [index('devices_account').on(table.account)],
)

export const invites = sqliteTable('invites', {
  secret: bytes('secret').primaryKey(),
  expiresAt: integer('expires_at').notNull(),
  revoked: integer('revoked', { mode: 'boolean' }).notNull(),
  admitted: integer('admitted').notNull(),
})

export const messages = sqliteTable(
  'messages',
  {
    id: text('id').notNull(),
    sender: text('sender').notNull(),
    contact: text('contact').notNull(),
    direction: text('direction', { enum: ['in', 'out'] }).notNull(),
    kind: text('kind', { enum: ['text', 'contact', 'timer', 'file', 'unknown', 'gone'] })
      .notNull()
      .default('text'),
    text: text('text').notNull(),
    replyTo: text('reply_to'),
    shared: text('shared'),
    disappearAfterMs: integer('disappear_after_ms'),
    disappearAt: integer('disappear_at'),
    editedAt: integer('edited_at'),
    deletedAt: integer('deleted_at'),
    ownReaction: text('own_reaction'),
    contactReaction: text('contact_reaction'),
    seen: integer('seen', { mode: 'boolean' }).notNull().default(true),
    state: text('state', { enum: ['queued', 'carried', 'delivered', 'read', 'failed'] }).notNull(),
    reason: text('reason'),
    createdAt: integer('created_at').notNull(),
    hlcMs: integer('hlc_ms').notNull(),
    hlcCounter: integer('hlc_counter').notNull(),
    receivedAt: integer('received_at'),
    deliveredAt: integer('delivered_at'),
  },
  (table) => [
    primaryKey({ columns: [table.id, table.sender] }),
    index('messages_conversation').on(table.contact, table.hlcMs, table.hlcCounter, table.id),
    index('messages_timer').on(table.contact, table.hlcMs, table.hlcCounter).where(sql`kind = 'timer'`),
    index('messages_disappear').on(table.disappearAt).where(sql`disappear_at is not null`),
    index('messages_unseen').on(table.contact, table.hlcMs, table.hlcCounter, table.id, table.sender).where(sql`seen = 0`),
  ],
)

/** What was said about messages; those may still be on their way. */
export const annotations = sqliteTable(
  'annotations',
  {
    contact: text('contact').notNull(),
    target: text('target').notNull(),
    own: integer('own', { mode: 'boolean' }).notNull(),
    kind: text('kind', { enum: ['reaction', 'edit', 'deletion'] }).notNull(),
    id: text('id').notNull(),
    value: text('value').notNull(),
    hlcMs: integer('hlc_ms').notNull(),
    hlcCounter: integer('hlc_counter').notNull(),
    at: integer('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.contact, table.target, table.own, table.kind] }), index('annotations_id').on(table.id)],
)

/** In which order annotations came: a number is given once, and what was replaced or has disappeared leaves a gap. */
export const annotationOrder = sqliteTable('annotation_order', {
  position: integer('position').primaryKey({ autoIncrement: true }),
  id: text('id').notNull(),
})

/** What others have signed about messages. */
export const proofs = sqliteTable(
  'proofs',
  {
    message: text('message').notNull(),
    kind: text('kind', { enum: ['receipt', 'stored'] }).notNull(),
    by: text('by').notNull(),
    key: bytes('key').notNull(),
    statement: bytes('statement').notNull(),
    signature: bytes('signature').notNull(),
    subject: bytes('subject'),
    deviceList: bytes('device_list'),
  },
  (table) => [primaryKey({ columns: [table.message, table.kind, table.by] })],
)

export const outbox = sqliteTable(
  'outbox',
  {
    device: text('device').notNull(),
    message: text('message').notNull(),
    contact: text('contact').notNull(),
    seq: integer('seq').notNull(),
    sealed: bytes('sealed').notNull(),
    state: text('state', { enum: ['queued', 'carried'] })
      .notNull()
      .default('queued'),
    carriers: text('carriers', { mode: 'json' }).$type<readonly string[]>().notNull().default([]),
    expiresAt: integer('expires_at').notNull().default(Number.MAX_SAFE_INTEGER),
    transient: integer('transient', { mode: 'boolean' }).notNull().default(false),
    content: bytes('content'),
  },
  (table) => [
    primaryKey({ columns: [table.device, table.message] }),
    index('outbox_order').on(table.device, table.seq),
    index('outbox_message').on(table.message),
    index('outbox_expiry').on(table.expiresAt),
  ],
)

export const retries = sqliteTable('retries', {
  device: text('device').primaryKey(),
  attempts: integer('attempts').notNull(),
  nextAt: integer('next_at').notNull(),
})

export const progress = sqliteTable(
  'progress',
  {
    message: text('message').notNull(),
    device: text('device').notNull(),
    state: text('state', { enum: ['failed', 'delivered', 'read'] }).notNull(),
    reason: text('reason'),
    at: integer('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.message, table.device] })],
)

export const receipts = sqliteTable(
  'receipts',
  { device: text('device').notNull(), message: text('message').notNull(), read: integer('read', { mode: 'boolean' }).notNull() },
  (table) => [primaryKey({ columns: [table.device, table.message, table.read] })],
)

/** `giver`: the account that handed it to us; empty for one that we have fetched. */
export const tokens = sqliteTable(
  'tokens',
  { token: bytes('token').primaryKey(), mailbox: text('mailbox').notNull(), giver: text('giver').notNull().default('') },
  (table) => [index('tokens_mailbox').on(table.mailbox, table.giver)],
)

export const sessions = sqliteTable('sessions', {
  device: text('device').primaryKey(),
  version: integer('version').notNull(),
  state: bytes('state').notNull(),
})

export const prekeys = sqliteTable('prekeys', {
  id: integer('id').primaryKey(),
  secret: bytes('secret').notNull(),
  kemSeed: bytes('kem_seed').notNull(),
  createdAt: integer('created_at').notNull(),
  supersededAt: integer('superseded_at'),
})

export const oneTimePrekeys = sqliteTable(
  'one_time_prekeys',
  {
    id: integer('id').primaryKey(),
    device: text('device').notNull(),
    secret: bytes('secret').notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (table) => [index('one_time_prekeys_device').on(table.device, table.expiresAt), index('one_time_prekeys_expiry').on(table.expiresAt)],
)

export const digests = sqliteTable(
  'digests',
  { digest: bytes('digest').primaryKey(), expiresAt: integer('expires_at').notNull() },
  (table) => [index('digests_expiry').on(table.expiresAt)],
)

export const sequences = sqliteTable('sequences', { device: text('device').primaryKey(), seq: integer('seq').notNull() })

/** Files on their way; `manifest` holds the key, sealed. */
export const transfers = sqliteTable(
  'transfers',
  {
    id: text('id').notNull(),
    direction: text('direction', { enum: ['in', 'out'] }).notNull(),
    contact: text('contact').notNull(),
    device: text('device').notNull(),
    state: text('state', { enum: ['offered', 'waiting', 'running', 'paused', 'done', 'failed', 'cancelled'] }).notNull(),
    reason: text('reason'),
    manifest: bytes('manifest').notNull(),
    place: text('place').notNull(),
    bytes: integer('bytes').notNull(),
    moved: integer('moved').notNull(),
    sha256: text('sha256'),
    path: text('path'),
    told: integer('told', { mode: 'boolean' }).notNull(),
    askers: text('askers'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.id, table.direction] })],
)

/** Words about files that came by mail. */
export const fileWords = sqliteTable(
  'file_words',
  {
    id: text('id').primaryKey(),
    contact: text('contact').notNull(),
    transfer: text('transfer').notNull(),
    word: bytes('word').notNull(),
    at: integer('at').notNull(),
  },
  (table) => [index('file_words_transfer').on(table.contact, table.transfer)],
)

export const settings = sqliteTable('settings', { key: text('key').primaryKey(), value: text('value').notNull() })
