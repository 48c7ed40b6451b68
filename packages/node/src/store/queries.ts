/** Prepared statements of the store, on any drizzle SQLite database. */
import { and, asc, count, desc, eq, gt, inArray, lt, or, sql } from 'drizzle-orm'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import { prepareAnnotationReads, prepareAnnotationWrites } from './annotation-queries.ts'
import { prepareJournalReads, prepareJournalWrites } from './journal-queries.ts'
import * as t from './schema.ts'
import { prepareTokenReads, prepareTokenWrites } from './token-queries.ts'
import { prepareTransferReads, prepareTransferWrites } from './transfer-queries.ts'

export type AnyDatabase = BaseSQLiteDatabase<'sync' | 'async', unknown>

const p = sql.placeholder

/** States that `state` may follow: a message only moves forward (ST6). */
export const MAY_FOLLOW = {
  queued: ['failed'],
  carried: ['queued', 'failed'],
  delivered: ['queued', 'carried', 'failed'],
  read: ['queued', 'carried', 'delivered', 'failed'],
  failed: ['queued', 'carried'],
} as const

export function prepareReads(db: AnyDatabase) {
  const history = (order: typeof asc, beside?: typeof gt) =>
    db
      .select()
      .from(t.messages)
      .where(
        and(eq(t.messages.contact, p('contact')), sql`${t.messages.kind} <> 'gone'`, beside === undefined ? undefined : isBeside(beside)),
      )
      .orderBy(order(t.messages.hlcMs), order(t.messages.hlcCounter), order(t.messages.id))
      .limit(p('limit'))
      .prepare()
  return {
    ...prepareAnnotationReads(db),
    ...prepareTransferReads(db),
    ...prepareJournalReads(db),
    ...prepareTokenReads(db),
    identity: db.select().from(t.identity).limit(1).prepare(),
    contacts: db.select().from(t.contacts).orderBy(asc(t.contacts.petname)).prepare(),
    contact: db
      .select()
      .from(t.contacts)
      .where(eq(t.contacts.account, p('account')))
      .prepare(),
    devices: db.select().from(t.devices).prepare(),
    devicesOf: db
      .select()
      .from(t.devices)
      .where(eq(t.devices.account, p('account')))
      .prepare(),
    device: db
      .select()
      .from(t.devices)
      .where(eq(t.devices.device, p('device')))
      .prepare(),
    invites: db.select().from(t.invites).prepare(),
    message: db
      .select()
      .from(t.messages)
      .where(eq(t.messages.id, p('id')))
      .prepare(),
    newest: history(desc),
    nextAfter: history(asc, gt),
    newestBefore: history(desc, lt),
    outbox: db
      .select()
      .from(t.outbox)
      .where(and(eq(t.outbox.device, p('device')), sql`${t.outbox.seq} > ${p('after')}`))
      .orderBy(asc(t.outbox.seq))
      .limit(p('limit'))
      .prepare(),
    outboxDevices: db
      .select({
        device: t.outbox.device,
        rows: count(),
        attempts: sql<number>`coalesce(max(${t.retries.attempts}), 0)`,
        nextAt: sql<number>`coalesce(max(${t.retries.nextAt}), 0)`,
      })
      .from(t.outbox)
      .leftJoin(t.retries, eq(t.retries.device, t.outbox.device))
      .groupBy(t.outbox.device)
      .prepare(),
    outboxOf: db
      .select()
      .from(t.outbox)
      .where(eq(t.outbox.message, p('message')))
      .prepare(),
    outboxExpired: db
      .select()
      .from(t.outbox)
      .where(sql`${t.outbox.expiresAt} <= ${p('now')}`)
      .limit(p('limit'))
      .prepare(),
    progress: db
      .select()
      .from(t.progress)
      .where(eq(t.progress.message, p('message')))
      .prepare(),
    receiptDevices: db.selectDistinct({ device: t.receipts.device }).from(t.receipts).prepare(),
    receiptsDue: db
      .select()
      .from(t.receipts)
      .where(eq(t.receipts.device, p('device')))
      .limit(p('limit'))
      .prepare(),
    session: db
      .select()
      .from(t.sessions)
      .where(eq(t.sessions.device, p('device')))
      .prepare(),
    prekeys: db.select().from(t.prekeys).prepare(),
    oneTimePrekeys: db
      .select()
      .from(t.oneTimePrekeys)
      .where(eq(t.oneTimePrekeys.device, p('device')))
      .orderBy(asc(t.oneTimePrekeys.expiresAt))
      .prepare(),
    digest: db
      .select({ expiresAt: t.digests.expiresAt })
      .from(t.digests)
      .where(eq(t.digests.digest, p('digest')))
      .prepare(),
    seq: db
      .select()
      .from(t.sequences)
      .where(eq(t.sequences.device, p('device')))
      .prepare(),
    setting: db
      .select()
      .from(t.settings)
      .where(eq(t.settings.key, p('key')))
      .prepare(),
  }
}

/** Behind (`gt`) or before (`lt`) the message (ms, counter, id) in conversation order. */
function isBeside(is: typeof gt) {
  return or(
    is(t.messages.hlcMs, p('ms')),
    and(eq(t.messages.hlcMs, p('ms')), is(t.messages.hlcCounter, p('counter'))),
    and(eq(t.messages.hlcMs, p('ms')), eq(t.messages.hlcCounter, p('counter')), is(t.messages.id, p('id'))),
  )
}

/** `excluded` value of a column in an upsert. */
const incoming = (name: string) => sql.raw(`excluded."${name}"`)

/** Who has written a message has read it: what disappears after reading runs from when it is there. */
const ARRIVED = {
  deliveredAt: sql`coalesce(${t.messages.deliveredAt}, ${p('at')})`,
  disappearAt: sql`case when ${t.messages.kind} in ('timer', 'gone') then null
    else coalesce(${t.messages.disappearAt}, ${p('at')} + ${t.messages.disappearAfterMs}) end`,
}

export function prepareWrites(db: AnyDatabase) {
  const state = (next: keyof typeof MAY_FOLLOW) =>
    db
      .update(t.messages)
      .set({
        state: next,
        reason: sql`${p('reason')}`,
        ...(next === 'delivered' || next === 'read' ? ARRIVED : {}),
      })
      .where(and(eq(t.messages.id, p('id')), eq(t.messages.direction, 'out'), inArray(t.messages.state, [...MAY_FOLLOW[next]])))
      .prepare()
  return {
    ...prepareAnnotationWrites(db),
    ...prepareTransferWrites(db),
    ...prepareJournalWrites(db),
    ...prepareTokenWrites(db),
    identity: db
      .insert(t.identity)
      .values({ id: 1, accountSeed: p('accountSeed'), deviceSeed: p('deviceSeed'), dhSecret: p('dhSecret'), createdAt: p('createdAt') })
      .onConflictDoUpdate({
        target: t.identity.id,
        set: {
          accountSeed: incoming('account_seed'),
          deviceSeed: incoming('device_seed'),
          dhSecret: incoming('dh_secret'),
          createdAt: incoming('created_at'),
        },
      })
      .prepare(),
    deviceSeen: db
      .update(t.devices)
      .set({ lastSeen: sql`${p('at')}` })
      .where(eq(t.devices.device, p('device')))
      .prepare(),
    cardSent: db
      .update(t.devices)
      .set({ cardSent: sql`${p('issuedAt')}` })
      .where(eq(t.devices.device, p('device')))
      .prepare(),
    handover: db
      .update(t.devices)
      .set({ handover: sql`${p('handover')}` })
      .where(eq(t.devices.device, p('device')))
      .prepare(),
    message: db
      .insert(t.messages)
      .values({
        id: p('id'),
        sender: p('sender'),
        contact: p('contact'),
        direction: p('direction'),
        kind: p('kind'),
        text: p('text'),
        replyTo: p('replyTo'),
        shared: p('shared'),
        disappearAfterMs: p('disappearAfterMs'),
        disappearAt: p('disappearAt'),
        editedAt: p('editedAt'),
        deletedAt: p('deletedAt'),
        ownReaction: p('ownReaction'),
        contactReaction: p('contactReaction'),
        seen: p('seen'),
        state: p('state'),
        reason: p('reason'),
        createdAt: p('createdAt'),
        hlcMs: p('hlcMs'),
        hlcCounter: p('hlcCounter'),
        receivedAt: p('receivedAt'),
        deliveredAt: p('deliveredAt'),
      })
      .onConflictDoNothing()
      .returning({
        // Asked here and not by the statement that would apply it: that one takes as long as the insert.
        isSaidAbout: sql<number>`exists (select 1 from annotations as said where said.contact = messages.contact and said.target = messages.id)`,
      })
      .prepare(),
    state: {
      queued: state('queued'),
      carried: state('carried'),
      delivered: state('delivered'),
      read: state('read'),
      failed: state('failed'),
    },
    outbox: db
      .insert(t.outbox)
      .values({
        device: p('device'),
        message: p('message'),
        contact: p('contact'),
        seq: p('seq'),
        sealed: p('sealed'),
        state: p('state'),
        carriers: p('carriers'),
        expiresAt: p('expiresAt'),
        transient: p('transient'),
        content: p('content'),
      })
      .onConflictDoNothing()
      .prepare(),
    outboxRemove: db
      .delete(t.outbox)
      .where(and(eq(t.outbox.device, p('device')), eq(t.outbox.message, p('message'))))
      .prepare(),
    outboxAcknowledged: db
      .delete(t.outbox)
      .where(and(eq(t.outbox.device, p('device')), eq(t.outbox.message, p('message'))))
      .returning({ transient: t.outbox.transient })
      .prepare(),
    progressOf: db
      .select({ state: t.progress.state })
      .from(t.progress)
      .where(and(eq(t.progress.message, p('message')), eq(t.progress.device, p('device'))))
      .prepare(),
    leftForOwner: db
      .select({ state: t.messages.state })
      .from(t.messages)
      .innerJoin(t.devices, eq(t.devices.account, t.messages.contact))
      .where(
        and(
          ...[eq(t.messages.id, p('message')), eq(t.messages.direction, 'out'), eq(t.devices.device, p('device'))],
          inArray(t.messages.state, ['carried', 'delivered', 'read']),
        ),
      )
      .prepare(),
    receipt: db
      .insert(t.receipts)
      .values({ device: p('device'), message: p('message'), read: p('read') })
      .onConflictDoNothing()
      .prepare(),
    receiptRemove: db
      .delete(t.receipts)
      .where(
        and(eq(t.receipts.device, p('device')), eq(t.receipts.message, p('message')), sql`${t.receipts.read} = (${p('read')} = 'true')`),
      )
      .prepare(),
    receiptForget: db
      .delete(t.receipts)
      .where(eq(t.receipts.device, p('device')))
      .prepare(),
    outboxCarried: db
      .update(t.outbox)
      .set({ state: 'carried', carriers: sql`json_insert(${t.outbox.carriers}, '$[#]', ${p('carrier')})` })
      .where(
        and(
          eq(t.outbox.device, p('device')),
          eq(t.outbox.message, p('message')),
          sql`not exists (select 1 from json_each(${t.outbox.carriers}) where value = ${p('carrier')})`,
        ),
      )
      .returning({ device: t.outbox.device })
      .prepare(),
    outboxRecall: db
      .update(t.outbox)
      .set({ carriers: [] })
      .where(and(eq(t.outbox.device, p('device')), eq(t.outbox.message, p('message'))))
      .prepare(),
    outboxRetry: db
      .insert(t.retries)
      .values({ device: p('device'), attempts: p('attempts'), nextAt: p('nextAt') })
      .onConflictDoUpdate({ target: t.retries.device, set: { attempts: incoming('attempts'), nextAt: incoming('next_at') } })
      .prepare(),
    progress: db
      .insert(t.progress)
      .values({ message: p('message'), device: p('device'), state: p('state'), reason: p('reason'), at: p('at') })
      .onConflictDoUpdate({
        target: [t.progress.message, t.progress.device],
        set: { state: incoming('state'), reason: incoming('reason'), at: incoming('at') },
        // What was given up, sent again and given up again has failed for the later reason.
        setWhere: sql`case excluded.state when 'failed' then 0 when 'delivered' then 1 else 2 end
          > case ${t.progress.state} when 'failed' then -1 when 'delivered' then 1 else 2 end`,
      })
      .prepare(),
    outboxReseal: db
      .update(t.outbox)
      .set({ sealed: sql`${p('sealed')}` })
      .where(and(eq(t.outbox.device, p('device')), eq(t.outbox.message, p('message'))))
      .prepare(),
    sessionFirst: db
      .insert(t.sessions)
      .values({ device: p('device'), version: p('version'), state: p('state') })
      .onConflictDoNothing()
      .returning({ version: t.sessions.version })
      .prepare(),
    sessionNext: db
      .update(t.sessions)
      .set({ version: sql`${p('version')}`, state: sql`${p('state')}` })
      .where(and(eq(t.sessions.device, p('device')), sql`${t.sessions.version} = ${p('version')} - 1`))
      .returning({ version: t.sessions.version })
      .prepare(),
    prekey: db
      .insert(t.prekeys)
      .values({ id: p('id'), secret: p('secret'), kemSeed: p('kemSeed'), createdAt: p('createdAt'), supersededAt: p('supersededAt') })
      .onConflictDoUpdate({
        target: t.prekeys.id,
        set: {
          secret: incoming('secret'),
          kemSeed: incoming('kem_seed'),
          createdAt: incoming('created_at'),
          supersededAt: incoming('superseded_at'),
        },
      })
      .prepare(),
    prekeyRemove: db
      .delete(t.prekeys)
      .where(eq(t.prekeys.id, p('id')))
      .prepare(),
    oneTime: db
      .insert(t.oneTimePrekeys)
      .values({ id: p('id'), device: p('device'), secret: p('secret'), expiresAt: p('expiresAt') })
      .prepare(),
    oneTimeRemove: db
      .delete(t.oneTimePrekeys)
      .where(eq(t.oneTimePrekeys.id, p('id')))
      .prepare(),
    oneTimePrune: db
      .delete(t.oneTimePrekeys)
      .where(sql`${t.oneTimePrekeys.expiresAt} < ${p('before')}`)
      .prepare(),
    digest: db
      .insert(t.digests)
      .values({ digest: p('digest'), expiresAt: p('expiresAt') })
      .onConflictDoNothing()
      .prepare(),
    digestPrune: db
      .delete(t.digests)
      .where(sql`${t.digests.expiresAt} < ${p('before')}`)
      .prepare(),
    seq: db
      .insert(t.sequences)
      .values({ device: p('device'), seq: p('seq') })
      .onConflictDoUpdate({ target: t.sequences.device, set: { seq: sql`max(${t.sequences.seq}, ${incoming('seq')})` } })
      .prepare(),
    setting: db
      .insert(t.settings)
      .values({ key: p('key'), value: p('value') })
      .onConflictDoUpdate({ target: t.settings.key, set: { value: incoming('value') } })
      .prepare(),
  }
}

export type Reads = ReturnType<typeof prepareReads>
export type Writes = ReturnType<typeof prepareWrites>
