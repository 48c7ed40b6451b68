/** Statements for what other devices of the account, and people who doubt, ask for. */
import { asc, eq, gt, sql } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'
import * as t from './schema.ts'

const p = sql.placeholder
/** Messages are never deleted, and the table is never vacuumed: their row ids say in which order they came. */
const ROW = sql<number>`${t.messages}.rowid`

export function prepareJournalReads(db: AnyDatabase) {
  return {
    journalMessages: db
      .select({ position: ROW, message: t.messages })
      .from(t.messages)
      .where(sql`${ROW} > ${p('after')}`)
      .orderBy(ROW)
      .limit(p('limit'))
      .prepare(),
    journalAnnotations: db
      .select({ position: t.annotationOrder.position, annotation: t.annotations })
      .from(t.annotationOrder)
      .innerJoin(t.annotations, eq(t.annotations.id, t.annotationOrder.id))
      .where(gt(t.annotationOrder.position, p('after')))
      .orderBy(asc(t.annotationOrder.position))
      .limit(p('limit'))
      .prepare(),
    lastMessage: db.select({ position: sql<number>`coalesce(max(rowid), 0)` }).from(t.messages).prepare(),
    lastAnnotation: db
      .select({ position: sql<number>`coalesce(max(${t.annotationOrder.position}), 0)` })
      .from(t.annotationOrder)
      .prepare(),
    proofs: db
      .select()
      .from(t.proofs)
      .where(eq(t.proofs.message, p('message')))
      .prepare(),
  }
}

export function prepareJournalWrites(db: AnyDatabase) {
  return {
    annotationOrder: db
      .insert(t.annotationOrder)
      .values({ id: p('id') })
      .prepare(),
    sessionRemove: db
      .delete(t.sessions)
      .where(eq(t.sessions.device, p('device')))
      .prepare(),
    proof: db
      .insert(t.proofs)
      .values({
        message: p('message'),
        kind: p('kind'),
        by: p('by'),
        key: p('key'),
        statement: p('statement'),
        signature: p('signature'),
        subject: p('subject'),
        deviceList: p('deviceList'),
      })
      .onConflictDoNothing()
      .prepare(),
    proofsRemove: db
      .delete(t.proofs)
      .where(eq(t.proofs.message, p('message')))
      .prepare(),
    proofsDisappear: db
      .delete(t.proofs)
      .where(sql`${t.proofs.message} in (select id from ${t.messages} where disappear_at <= ${p('at')} and direction = 'out')`)
      .prepare(),
  }
}
