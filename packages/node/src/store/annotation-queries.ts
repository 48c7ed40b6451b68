/** Statements for what is said about messages, for what disappears, and for the search. */
import { and, asc, desc, eq, isNotNull, lt, or, sql } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'
import * as t from './schema.ts'

const p = sql.placeholder

/**
 * Before a column that SQLite is not to look for an index of (sqlite.org/optoverview.html, "Disqualifying WHERE Clause Terms
 * Using Unary +"): one contact may have most of all messages, and reading through them takes longer with each.
 */
const BESIDE_INDEX = sql.raw('+')

/** Found messages of which so many are read and sorted without a second thought. */
const FEW = sql.raw('2000')

export function prepareAnnotationReads(db: AnyDatabase) {
  const newest = [desc(t.messages.hlcMs), desc(t.messages.hlcCounter), desc(t.messages.id)] as const
  const search = (older: boolean) =>
    db
      .select()
      .from(t.messages)
      .where(
        and(
          sql`${t.messages}.rowid in ${found(older)}`,
          or(sql`${p('contact')} is null`, sql`${BESIDE_INDEX}${t.messages.contact} = ${p('contact')}`),
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
      .select({ disappearAfterMs: sql<number | null>`disappear_after_ms` })
      .from(sql`${t.messages} indexed by messages_timer`)
      .where(sql`contact = ${p('contact')} and kind = 'timer'`)
      .orderBy(sql`hlc_ms desc, hlc_counter desc, id desc`)
      .limit(1)
      .prepare(),
    unseen: db
      .select({ id: t.messages.id, sender: t.messages.sender, hlcMs: t.messages.hlcMs, hlcCounter: t.messages.hlcCounter })
      .from(t.messages)
      .where(sql`${t.messages.contact} = ${p('contact')} and ${t.messages.seen} = 0`)
      .orderBy(asc(t.messages.hlcMs), asc(t.messages.hlcCounter), asc(t.messages.id))
      .limit(p('limit'))
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

/**
 * Row ids of what the search finds. Of a few, all: they are read and sorted. A word that most messages have is looked for
 * from the newest message of each contact backwards instead, along the index that history has: reading each message only to
 * sort it takes a second where there are a hundred thousand.
 */
function found(older: boolean) {
  const before = older ? sql`and (n.hlc_ms, n.hlc_counter, n.id) < (${p('ms')}, ${p('counter')}, ${p('id')})` : sql``
  return sql`(
    with recursive hits as materialized (select rowid as hit from message_words where message_words match ${p('match')}),
    counted as materialized (select count(*) < ${FEW} as few from (select 1 from hits limit ${FEW})),
    people(account) as (
      select coalesce(${p('contact')}, (select min(contact) from ${t.messages})) where not (select few from counted)
      union all
      select (select min(contact) from ${t.messages} where contact > account) from people where account is not null and ${p('contact')} is null
    )
    select hit from hits where (select few from counted)
    union all
    select m.rowid from people join ${t.messages} as m on m.rowid in (
      select n.rowid from ${t.messages} as n indexed by messages_conversation
      where n.contact = account and n.rowid in (select hit from hits) ${before}
      order by n.hlc_ms desc, n.hlc_counter desc, n.id desc limit ${p('limit')}
    )
  )`
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
          sql`${BESIDE_INDEX}${t.messages.contact} = ${p('contact')}`,
          sql`${t.messages.kind} <> 'gone'`,
          sql`exists (select 1 from ${t.annotations} as said where said.contact = ${p('contact')} and said.target = ${p('target')})`,
        ),
      )
      .prepare(),
    seen: db
      .update(t.messages)
      .set({
        seen: true,
        disappearAt: sql`case when ${t.messages.kind} in ('timer', 'gone') then ${t.messages.disappearAt}
          else coalesce(${t.messages.disappearAt}, ${p('at')} + ${t.messages.disappearAfterMs}) end`,
      })
      .where(
        and(
          eq(t.messages.id, p('id')),
          sql`${BESIDE_INDEX}${t.messages.contact} = ${p('contact')} and ${BESIDE_INDEX}${t.messages.seen} = 0`,
        ),
      )
      .prepare(),
    forgetSaid: db
      .delete(t.annotations)
      .where(sql`${t.annotations.target} in (select id from ${t.messages} where disappear_at <= ${p('at')}) and not ${UNTOLD}`)
      .prepare(),
    disappear: db
      .update(t.messages)
      .set(GONE)
      .where(sql`disappear_at <= ${p('at')}`)
      .prepare(),
    aboutGone: db
      .select({ id: t.messages.id })
      .from(t.messages)
      .where(
        and(
          eq(t.messages.id, p('target')),
          sql`${BESIDE_INDEX}${t.messages.contact} = ${p('contact')}`,
          sql`${BESIDE_INDEX}${t.messages.kind} = 'gone'`,
        ),
      )
      .limit(1)
      .prepare(),
    clear: prepareClear(db),
  }
}

/** The other side has yet to learn that a message was taken back: it may have to be sealed anew for that. */
const UNTOLD = sql`(${t.annotations.kind} = 'deletion' and ${t.annotations.id} in (select message from ${t.outbox}))`

const GONE = {
  kind: 'gone',
  text: '',
  shared: null,
  replyTo: null,
  disappearAt: null,
  ownReaction: null,
  contactReaction: null,
  seen: true,
} as const

/** What makes a conversation gone up to a stamp, in this order. */
function prepareClear(db: AnyDatabase) {
  const upTo = sql`contact = ${p('contact')} and (hlc_ms, hlc_counter) <= (${p('hlcMs')}, ${p('hlcCounter')})`
  const cleared = sql`(select id from ${t.messages} where ${upTo})`
  const timer = sql`(select id from ${t.messages} indexed by messages_timer where contact = ${p('contact')} and kind = 'timer'
    order by hlc_ms desc, hlc_counter desc, id desc limit 1)`
  const inForce = sql`kind = 'timer' and disappear_after_ms is not null and id = ${timer}`
  return [
    db
      .delete(t.annotations)
      .where(sql`contact = ${p('contact')} and target in ${cleared} and not ${UNTOLD}`)
      .prepare(),
    db.delete(t.annotations).where(sql`${upTo} and not ${UNTOLD}`).prepare(),
    db.delete(t.proofs).where(sql`message in ${cleared}`).prepare(),
    db.delete(t.progress).where(sql`message in ${cleared}`).prepare(),
    db
      .update(t.messages)
      .set({ ...GONE, editedAt: null, deletedAt: null })
      .where(sql`${upTo} and kind <> 'gone' and not (${inForce})`)
      .prepare(),
  ] as const
}
