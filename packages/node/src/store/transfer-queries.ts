/** Prepared statements about files on their way. */
import { and, asc, desc, eq, lt, sql } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'
import * as t from './schema.ts'

const p = sql.placeholder

/** `excluded` value of a column in an upsert. */
const incoming = (name: string) => sql.raw(`excluded."${name}"`)

const TRANSFER = {
  id: p('id'),
  direction: p('direction'),
  contact: p('contact'),
  device: p('device'),
  state: p('state'),
  reason: p('reason'),
  manifest: p('manifest'),
  place: p('place'),
  bytes: p('bytes'),
  moved: p('moved'),
  sha256: p('sha256'),
  path: p('path'),
  told: p('told'),
  askers: p('askers'),
  createdAt: p('createdAt'),
  updatedAt: p('updatedAt'),
}

export function prepareTransferReads(db: AnyDatabase) {
  return {
    transfers: db.select().from(t.transfers).orderBy(desc(t.transfers.createdAt), desc(t.transfers.id)).prepare(),
    transfer: db
      .select()
      .from(t.transfers)
      .where(and(eq(t.transfers.id, p('id')), eq(t.transfers.direction, p('direction'))))
      .prepare(),
    fileWords: db
      .select()
      .from(t.fileWords)
      .where(and(eq(t.fileWords.contact, p('contact')), eq(t.fileWords.transfer, p('transfer'))))
      .orderBy(asc(t.fileWords.at), asc(t.fileWords.id))
      .prepare(),
  }
}

export function prepareTransferWrites(db: AnyDatabase) {
  return {
    transferRemove: db
      .delete(t.transfers)
      .where(and(eq(t.transfers.id, p('id')), eq(t.transfers.direction, p('direction'))))
      .prepare(),
    transfer: db
      .insert(t.transfers)
      .values(TRANSFER)
      .onConflictDoUpdate({
        target: [t.transfers.id, t.transfers.direction],
        set: {
          state: incoming('state'),
          reason: incoming('reason'),
          manifest: incoming('manifest'),
          place: incoming('place'),
          bytes: incoming('bytes'),
          moved: incoming('moved'),
          sha256: incoming('sha256'),
          path: incoming('path'),
          told: incoming('told'),
          askers: incoming('askers'),
          updatedAt: incoming('updated_at'),
        },
      })
      .prepare(),
    fileWordBytes: db
      .select({ bytes: sql<number>`coalesce(sum(length(${t.fileWords.word})), 0)` })
      .from(t.fileWords)
      .where(eq(t.fileWords.contact, p('contact')))
      .prepare(),
    fileWord: db
      .insert(t.fileWords)
      .values({ id: p('id'), contact: p('contact'), transfer: p('transfer'), word: p('word'), at: p('at') })
      .onConflictDoNothing()
      .returning({ id: t.fileWords.id })
      .prepare(),
    fileWordsRemove: db
      .delete(t.fileWords)
      .where(and(eq(t.fileWords.contact, p('contact')), eq(t.fileWords.transfer, p('transfer'))))
      .prepare(),
    fileWordsPrune: db
      .delete(t.fileWords)
      .where(lt(t.fileWords.at, p('before')))
      .prepare(),
    transferOffer: db.insert(t.transfers).values(TRANSFER).onConflictDoNothing().prepare(),
  }
}
