/** Statements for what is said about messages, for what disappears, and for the search. */
import { and, asc, desc, eq, isNotNull, lt, or, sql } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'
import * as t from './schema.ts'

const p = sql.placeholder

export function prepareAnnotationReads(db: AnyDatabase) {
  const newest = [desc(t.messages.hlcMs), desc(t.messages.hlcCounter), desc(t.messages.id)] as const
  const search = (older: boolean) =>
    db
      .select()
      .from(t.messages)
      .where(
        and(
          sql`${t.messages}.rowid in (select rowid from message_words where message_words match ${p('match')})`,
          or(sql`${p('contact')} is null`, eq(t.messages.contact, p('contact'))),
          older ? isOlder() : undefined,
        ),
      )
      .orderBy(...newest)
      .limit(p('limit'))
      .prepare()
  return {
    annotation: db
      .select()
      .from(t.annotations)
      .where(eq(t.annotations.id, p('id')))
      .prepare(),
    timer: db
      .select({ disappearAfterMs: t.messages.disappearAfterMs })
      .from(t.messages)
      .where(and(eq(t.messages.contact, p('contact')), sql`kind = 'timer'`))
      .orderBy(...newest)
      .limit(1)
      .prepare(),
    disappearing: db
      .select()
      .from(t.messages)
      .where(isNotNull(t.messages.disappearAt))
      .orderBy(asc(t.messages.disappearAt))
      .limit(p('limit'))
      .prepare(),
    search: search(false),
    searchBefore: search(true),
  }
}

function isOlder() {
  return or(
    lt(t.messages.hlcMs, p('ms')),
    and(eq(t.messages.hlcMs, p('ms')), lt(t.messages.hlcCounter, p('counter'))),
    and(eq(t.messages.hlcMs, p('ms')), eq(t.messages.hlcCounter, p('counter')), lt(t.messages.id, p('id'))),
  )
}

/** What one side has said of one kind about the message that is being changed. */
const said = (own: ReturnType<typeof sql>, kind: string) =>
  sql`from ${t.annotations} as said where said.contact = ${p('contact')} and said.target = ${p('target')} and said.own = ${own} and said.kind = ${sql.raw(`'${kind}'`)}`

export function prepareAnnotationWrites(db: AnyDatabase) {
  const author = sql`(${t.messages.direction} = 'out')`
  const deleted = sql`exists (select 1 ${said(author, 'deletion')})`
  return {
    annotation: db
      .insert(t.annotations)
      .values({
        id: p('id'),
        contact: p('contact'),
        target: p('target'),
        own: p('own'),
        kind: p('kind'),
        value: p('value'),
        hlcMs: p('hlcMs'),
        hlcCounter: p('hlcCounter'),
        at: p('at'),
      })
      .onConflictDoUpdate({
        target: [t.annotations.contact, t.annotations.target, t.annotations.own, t.annotations.kind],
        set: {
          id: sql`excluded.id`,
          value: sql`excluded.value`,
          hlcMs: sql`excluded.hlc_ms`,
          hlcCounter: sql`excluded.hlc_counter`,
          at: sql`excluded.at`,
        },
        setWhere: sql`excluded.kind <> 'deletion' and (excluded.hlc_ms, excluded.hlc_counter, excluded.id)
          > (${t.annotations.hlcMs}, ${t.annotations.hlcCounter}, ${t.annotations.id})`,
      })
      .returning({ id: t.annotations.id })
      .prepare(),
    /** A message as everything that is known about it makes it; nothing where nothing was said. */
    refresh: db
      .update(t.messages)
      .set({
        text: sql`case when ${deleted} then '' when ${t.messages.kind} = 'text'
          then coalesce((select said.value ${said(author, 'edit')}), ${t.messages.text}) else ${t.messages.text} end`,
        shared: sql`case when ${deleted} then null else ${t.messages.shared} end`,
        editedAt: sql`case when ${t.messages.kind} = 'text' then (select said.at ${said(author, 'edit')}) end`,
        deletedAt: sql`(select said.at ${said(author, 'deletion')})`,
        ownReaction: sql`case when ${deleted} then null else (select nullif(said.value, '') ${said(sql`1`, 'reaction')}) end`,
        contactReaction: sql`case when ${deleted} then null else (select nullif(said.value, '') ${said(sql`0`, 'reaction')}) end`,
      })
      .where(
        and(
          eq(t.messages.id, p('target')),
          eq(t.messages.contact, p('contact')),
          sql`${t.messages.kind} <> 'gone'`,
          sql`exists (select 1 from ${t.annotations} as said where said.contact = ${p('contact')} and said.target = ${p('target')})`,
        ),
      )
      .prepare(),
    read: db
      .update(t.messages)
      .set({ disappearAt: sql`${p('at')} + ${t.messages.disappearAfterMs}` })
      .where(
        and(
          eq(t.messages.contact, p('contact')),
          eq(t.messages.direction, 'in'),
          sql`${t.messages.kind} not in ('timer', 'gone') and disappear_after_ms is not null and disappear_at is null`,
          sql`(${t.messages.hlcMs}, ${t.messages.hlcCounter}, ${t.messages.id}) <= (select upto.hlc_ms, upto.hlc_counter, upto.id
            from ${t.messages} as upto where upto.id = ${p('upTo')} and upto.contact = ${p('contact')})`,
        ),
      )
      .prepare(),
    forgetSaid: db
      .delete(t.annotations)
      .where(sql`${t.annotations.target} in (select id from ${t.messages} where disappear_at <= ${p('at')})`)
      .prepare(),
    disappear: db
      .update(t.messages)
      .set({ kind: 'gone', text: '', shared: null, replyTo: null, disappearAt: null, ownReaction: null, contactReaction: null })
      .where(sql`disappear_at <= ${p('at')}`)
      .prepare(),
  }
}
