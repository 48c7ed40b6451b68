/** A transaction on any drizzle database, also while drivers answer at once and drizzle's own wants them not to. */
import { sql } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'

/** Nothing else may use the database meanwhile. */
export async function inTransaction(db: AnyDatabase, work: () => Promise<void>): Promise<void> {
  await db.run(sql.raw('BEGIN IMMEDIATE'))
  try {
    await work()
    await db.run(sql.raw('COMMIT'))
  } catch (error) {
    await Promise.resolve(db.run(sql.raw('ROLLBACK'))).catch(() => undefined)
    throw error
  }
}
