/** Statements for tokens with which mail is left. */
import { and, eq, sql } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'
import * as t from './schema.ts'

const p = sql.placeholder

export function prepareTokenReads(db: AnyDatabase) {
  return {
    tokens: db
      .select({ token: t.tokens.token })
      .from(t.tokens)
      .where(and(eq(t.tokens.mailbox, p('mailbox')), eq(t.tokens.giver, p('giver'))))
      .orderBy(sql`rowid desc`)
      .limit(p('limit'))
      .prepare(),
  }
}

export function prepareTokenWrites(db: AnyDatabase) {
  return {
    token: db
      .insert(t.tokens)
      .values({ token: p('token'), mailbox: p('mailbox'), giver: p('giver') })
      .onConflictDoNothing()
      .prepare(),
    tokenRemove: db
      .delete(t.tokens)
      .where(eq(t.tokens.token, p('token')))
      .prepare(),
    tokenTrim: db
      .delete(t.tokens)
      .where(
        sql`${t.tokens.giver} = ${p('giver')} and rowid not in
          (select rowid from ${t.tokens} where ${t.tokens.giver} = ${p('giver')} order by rowid desc limit ${p('most')})`,
      )
      .prepare(),
  }
}
