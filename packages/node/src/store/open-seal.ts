/** Finds the seal that a database was written with, or begins one. */
import { SkeinError, type StoredOneTimePrekey } from '@skein/core'
import { eq, ne } from 'drizzle-orm'
import type { AnyDatabase } from './queries.ts'
import type { RowSeal } from './row-seal.ts'
import * as t from './schema.ts'
import { inTransaction } from './transaction.ts'

const SETTING = 'storage.check'

/**
 * Gives the storage key. `existing`: a database was written with it, so none may be made up.
 * @throws SkeinError STORE_CORRUPT (the key is gone), CONFIG_INVALID (the passphrase is wrong), DATA_DIR_READ_ONLY
 */
export type StorageKeySource = (need: 'new' | 'existing') => Promise<Uint8Array>

/**
 * @param makeSeal the seal of a key
 * @returns the seal, and whether rows had to be sealed that an earlier version wrote in clear
 * @throws SkeinError STORE_CORRUPT: the key is not the one the database was written with; also what `source` throws
 */
export async function openSeal(
  db: AnyDatabase,
  source: StorageKeySource,
  makeSeal: (key: Uint8Array) => RowSeal,
): Promise<{ readonly seal: RowSeal; readonly wasClear: boolean }> {
  const [check] = await db.select().from(t.settings).where(eq(t.settings.key, SETTING)).all()
  const seal = makeSeal(await source(check === undefined ? 'new' : 'existing'))
  if (check === undefined) return { seal, wasClear: await beginSeal(db, seal) }
  if (seal.fitsCheck(check.value)) return { seal, wasClear: false }
  throw new SkeinError('STORE_CORRUPT', 'The storage key is not the one that this database was written with; put the right one back.')
}

/** Seals what is there in clear and writes the check, in one transaction: a database is sealed wholly or not at all. */
async function beginSeal(db: AnyDatabase, seal: RowSeal): Promise<boolean> {
  let sealed = 0
  await inTransaction(db, async () => {
    sealed = (await sealOwnKeys(db, seal)) + (await sealSessions(db, seal)) + (await sealInvites(db, seal)) + (await sealContacts(db, seal))
    await db.insert(t.settings).values({ key: SETTING, value: seal.makeCheck() }).run()
  })
  return sealed > 0
}

async function sealOwnKeys(db: AnyDatabase, seal: RowSeal): Promise<number> {
  const identities = await db.select().from(t.identity).all()
  for (const row of identities) await db.update(t.identity).set(seal.sealIdentity(row)).run()
  const prekeys = await db.select().from(t.prekeys).all()
  for (const row of prekeys) await db.update(t.prekeys).set(seal.sealPrekey(row)).where(eq(t.prekeys.id, row.id)).run()
  const oneTime = (await db.select().from(t.oneTimePrekeys).all()) as StoredOneTimePrekey[]
  for (const row of oneTime) await db.update(t.oneTimePrekeys).set(seal.sealOneTimePrekey(row)).where(eq(t.oneTimePrekeys.id, row.id)).run()
  return identities.length + prekeys.length + oneTime.length
}

async function sealSessions(db: AnyDatabase, seal: RowSeal): Promise<number> {
  const sessions = await db.select().from(t.sessions).all()
  for (const { device, version, state } of sessions) {
    const sealed = seal.sealSession({ device: device as never, version, state })
    await db.update(t.sessions).set({ state: sealed.state }).where(eq(t.sessions.device, device)).run()
  }
  return sessions.length
}

async function sealInvites(db: AnyDatabase, seal: RowSeal): Promise<number> {
  const invites = await db.select().from(t.invites).all()
  for (const { secret } of invites)
    await db
      .update(t.invites)
      .set({ secret: seal.sealInvite(secret) })
      .where(eq(t.invites.secret, secret))
      .run()
  return invites.length
}

async function sealContacts(db: AnyDatabase, seal: RowSeal): Promise<number> {
  const pending = await db.select().from(t.contacts).where(ne(t.contacts.pendingInvite, '')).all()
  for (const row of pending) await db.update(t.contacts).set(seal.sealContact(row)).where(eq(t.contacts.account, row.account)).run()
  return pending.length
}
