/**
 * Notices that a database is an old copy put back. A count rises with use; it is kept in the database and, after that
 * commit is durable, in a mark beside it. The database is therefore never behind its mark by itself: not after a
 * crash, not after a loss of power. One that is behind was replaced.
 */
import { eq, sql } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'
import * as t from './schema.ts'
import { inTransaction } from './transaction.ts'

const SETTING = 'storage.use'
/** For which count the mark was last written, and when by the file system. */
const WRITTEN = 'storage.mark-written'
/** File systems keep some instants to two seconds. */
const SAME_INSTANT_MS = 2_000

/** Where the count is kept beside the database. */
export interface UseMark {
  /** 0 when there is none. */
  read(): number | Promise<number>
  /** Durable when it returns. */
  write(count: number): void | Promise<void>
  /** Whether it was written beside another database file than the one that is open: both were copied. */
  isOfAnother?(): boolean
  /** When it was written as the file system has it, which no copying sets: milliseconds since 1970; undefined where nothing is known. */
  writtenAt?(): number | undefined
}

/**
 * To be called once when a database is opened. The sessions of an old copy are removed: going on with them would use
 * keys a second time. New ones are agreed with the next message.
 * @param isFull whether an error says that there is no room: a use that cannot be counted is no reason to refuse reading
 * @returns whether the database is an old copy
 */
export async function compareUse(db: AnyDatabase, mark: UseMark, isFull: (error: unknown) => boolean): Promise<boolean> {
  const marked = await mark.read()
  const count = await readCount(db)
  const restored = marked > count || mark.isOfAnother?.() === true || (marked === count && (await isPutBack(db, mark, count)))
  const next = Math.max(marked, count) + 1
  if (restored) await removeSessions(db, next)
  try {
    if (!restored) await writeCount(db, next)
    await writeMark(db, mark, next)
  } catch (error) {
    if (!isFull(error)) throw error
  }
  return restored
}

/** In one transaction with the count: an old copy is taken for one until its sessions have gone. */
function removeSessions(db: AnyDatabase, count: number): Promise<void> {
  return inTransaction(db, async () => {
    await db.delete(t.sessions).run()
    await writeCount(db, count)
  })
}

/** Outside a transaction. */
export async function countUse(db: AnyDatabase, mark: UseMark): Promise<void> {
  const count = (await readCount(db)) + 1
  await writeCount(db, count)
  await writeMark(db, mark, count)
}

/** After a crash in between the database has another count than the one that was noted: that says nothing. */
async function writeMark(db: AnyDatabase, mark: UseMark, count: number): Promise<void> {
  await mark.write(count)
  const at = mark.writtenAt?.()
  if (at !== undefined) await put(db, WRITTEN, `${count} ${at}`)
}

/** Whether somebody else has written the mark that belongs to this count: it came back together with the database. */
async function isPutBack(db: AnyDatabase, mark: UseMark, count: number): Promise<boolean> {
  const [of, at] = ((await read(db, WRITTEN)) ?? '').split(' ').map(Number)
  const now = mark.writtenAt?.()
  return of === count && at !== undefined && now !== undefined && Math.abs(now - at) > SAME_INSTANT_MS
}

async function readCount(db: AnyDatabase): Promise<number> {
  return Number((await read(db, SETTING)) ?? 0)
}

const writeCount = (db: AnyDatabase, count: number): Promise<void> => put(db, SETTING, String(count))

async function read(db: AnyDatabase, key: string): Promise<string | undefined> {
  const [row] = await db.select().from(t.settings).where(eq(t.settings.key, key)).all()
  return row?.value
}

async function put(db: AnyDatabase, key: string, value: string): Promise<void> {
  await db
    .insert(t.settings)
    .values({ key, value })
    .onConflictDoUpdate({ target: t.settings.key, set: { value: sql`excluded."value"` } })
    .run()
}
