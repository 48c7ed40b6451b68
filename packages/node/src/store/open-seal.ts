/** Finds the seal that a database was written with, or begins one. */
import { SkeinError } from '@skein/core'
import { eq } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'
import type { RowSeal } from './row-seal.ts'
import * as t from './schema.ts'

const SETTING = 'storage.check'

/**
 * Gives the storage key. `existing`: a database was written with it, so none may be made up.
 * @throws SkeinError STORE_CORRUPT (the key is gone), CONFIG_INVALID (the passphrase is wrong), DATA_DIR_READ_ONLY
 */
export type StorageKeySource = (need: 'new' | 'existing') => Promise<Uint8Array>

/** Whether the database has been opened before, to the end. */
export async function isSealed(db: AnyDatabase): Promise<boolean> {
  return (await db.select().from(t.settings).where(eq(t.settings.key, SETTING)).all()).length > 0
}

/**
 * @param makeSeal the seal of a key
 * @throws SkeinError STORE_CORRUPT: the key is not the one the database was written with; also what `source` throws
 */
export async function openSeal(db: AnyDatabase, source: StorageKeySource, makeSeal: (key: Uint8Array) => RowSeal): Promise<RowSeal> {
  const [check] = await db.select().from(t.settings).where(eq(t.settings.key, SETTING)).all()
  const seal = makeSeal(await source(check === undefined ? 'new' : 'existing'))
  if (check === undefined) await db.insert(t.settings).values({ key: SETTING, value: seal.makeCheck() }).run()
  else if (!seal.fitsCheck(check.value))
    throw new SkeinError('STORE_CORRUPT', 'The storage key is not the one that this database was written with; put the right one back.')
  return seal
}
