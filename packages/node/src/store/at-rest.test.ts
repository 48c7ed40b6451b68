import { readFileSync, writeFileSync } from 'node:fs'
import { SkeinError } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { PURGE_AFTER_MS } from './sqlite-store.ts'
import { canary, DEVICE, folder, type Folder, identity, onDisk, open, prekey, sessionPut } from './store-fixtures.ts'

const secret = canary('invite', 16)
const oneTime = { id: 9, device: DEVICE, secret: canary('one-time', 32), expiresAt: 7 }
const CLEAR = {
  account: identity().accountSeed,
  device: identity().deviceSeed,
  dh: identity().dhSecret,
  prekey: prekey(1).secret,
  kem: prekey(1).kemSeed,
  oneTime: oneTime.secret,
  state: canary('state 1', 600).subarray(0, 32),
  invite: secret,
  joining: Buffer.from('http://relay/#secret-of-another'),
}

const contact = {
  account: 'a' as never,
  accountKey: new Uint8Array(),
  petname: 'Ana',
  claimedName: '',
  state: 'pending',
  trust: 'unverified',
  card: new Uint8Array(),
  listVersion: 0,
  relays: [],
  blocked: false,
  muted: false,
  addedAt: 1,
  pendingInvite: 'http://relay/#secret-of-another',
} as const

const EVERYTHING = [
  { kind: 'identity.put', identity: identity() },
  { kind: 'prekey.put', prekey: prekey(1) },
  sessionPut(1),
  { kind: 'invite.put', invite: { secret, expiresAt: 5, revoked: false, admitted: 0 } },
  { kind: 'contact.put', contact, devices: [] },
  { kind: 'one-time.put', prekey: oneTime },
] as const

async function expectEverything(place: Folder): Promise<void> {
  const store = await open(place)
  expect(await store.identity()).toEqual(identity())
  expect(await store.prekeys()).toEqual([prekey(1)])
  expect((await store.session(DEVICE))?.state).toEqual(canary('state 1', 600))
  expect(await store.invites()).toEqual([{ secret, expiresAt: 5, revoked: false, admitted: 0 }])
  expect(await store.contacts()).toEqual([contact])
  expect(await store.oneTimePrekeys(DEVICE)).toEqual([oneTime])
  await store.close()
}

it('[ST20] no key is in the file or the write-ahead log in clear', async () => {
  using place = folder()
  const store = await open(place)
  await store.commit(EVERYTHING)
  expect(onDisk(place, CLEAR)).toEqual([])
  expect(onDisk(place, { petname: Buffer.from('Ana') })).toEqual(['petname'])
  await store.commit([{ kind: 'invite.put', invite: { secret, expiresAt: 5, revoked: true, admitted: 0 } }])
  expect(await store.invites()).toEqual([{ secret, expiresAt: 5, revoked: true, admitted: 0 }])
  await store.close()
  expect(onDisk(place, CLEAR)).toEqual([])
})

it('[ST22] another storage key is refused with a code, and changes nothing', async () => {
  using place = folder()
  const store = await open(place)
  await store.commit(EVERYTHING)
  await store.close()
  const before = readFileSync(place.path)
  await expect(open(place, { storageKey: () => Promise.resolve(canary('other', 32)) })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(readFileSync(place.path).equals(before)).toBe(true)
  await expectEverything(place)
})

it('[ST23] a key is asked for before there is a database, and none is made up for one that exists', async () => {
  using place = folder()
  const asked: string[] = []
  const refuse = (need: string): Promise<never> => {
    asked.push(need)
    return Promise.reject(new SkeinError('STORE_CORRUPT', 'gone'))
  }
  await expect(open(place, { storageKey: refuse })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(() => readFileSync(place.path)).toThrow('ENOENT')
  await (await open(place)).close()
  await expect(open(place, { storageKey: refuse })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(asked).toEqual(['new', 'existing'])
  // Made, but nothing written yet when the process ended.
  writeFileSync(place.path, '')
  await expect(open(place, { storageKey: refuse })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(asked).toEqual(['new', 'existing', 'new'])
})

/** The sealed bytes of everything, as they are in the file now. */
function sealedNow(place: Folder): Record<string, Uint8Array> {
  const copy = new Database(readFileSync(place.path))
  const rows = copy.prepare('SELECT id, secret, kem_seed AS kem FROM prekeys').all() as {
    id: number
    secret: Uint8Array
    kem: Uint8Array
  }[]
  const states = copy.prepare('SELECT version, state FROM sessions').all() as { version: number; state: Uint8Array }[]
  copy.close()
  return Object.fromEntries([
    ...rows.flatMap(({ id, secret: own, kem }) => [[`prekey ${id}`, own] as const, [`kem ${id}`, kem] as const]),
    ...states.map(({ version, state }) => [`state ${version}`, state.subarray(-48)] as const),
  ])
}

/** An image of a database in WAL mode cannot be opened in memory: the two bytes that say so are set back (SQLite file format, 1.3). */
function settle(place: Folder): Folder & { path: string } {
  const image = readFileSync(place.path)
  image.fill(1, 18, 20)
  writeFileSync(`${place.path}.image`, image)
  return { ...place, path: `${place.path}.image` }
}

it.each([600, 30_000])(
  '[ST28] what was sealed is gone from file and log once it is deleted or replaced and purged (%i bytes)',
  async (size) => {
    using place = folder()
    const store = await open(place)
    await store.commit([1, 2, 3, 4, 5, 6, 7, 8].map((id) => ({ kind: 'prekey.put', prekey: prekey(id) }) as const))
    const seen: Record<string, Uint8Array> = {}
    for (let version = 1; version <= 12; version += 1) {
      // Sizes differ, so that rows move within their page and between pages.
      await store.commit([sessionPut(version, size + version * 37)])
      if (version % 4 !== 0) continue
      await store.purge()
      Object.assign(seen, sealedNow(settle(place)))
    }
    await store.commit([
      { kind: 'prekey.remove', id: 3 },
      { kind: 'prekey.put', prekey: { ...prekey(4), supersededAt: 9 } },
      { kind: 'prekey.remove', id: 8 },
      sessionPut(13, size),
    ])
    await store.purge()
    const gone = ['prekey 3', 'kem 3', 'prekey 4', 'kem 4', 'prekey 8', 'kem 8', 'state 4', 'state 8', 'state 12']
    expect(Object.keys(seen)).toEqual(expect.arrayContaining(gone))
    expect(onDisk(place, seen)).toEqual(Object.keys(seen).filter((name) => !gone.includes(name)))
    expect(readFileSync(`${place.path}-wal`).length).toBe(0)
    await store.close()
  },
)

it('[ST28] purges by itself a minute after a key was replaced, once for all of that minute, and never without need', async () => {
  using place = folder()
  const clock = new VirtualClock()
  const store = await open(place, { clock })
  const counted = async (): Promise<number> => Number(await store.setting('storage.use'))
  const before = await counted()
  await store.commit([{ kind: 'setting.put', key: 'a', value: 'b' }])
  await clock.advance(PURGE_AFTER_MS * 3)
  expect(await counted()).toBe(before)
  for (let version = 1; version <= 20; version += 1) await store.commit([sessionPut(version)])
  expect(readFileSync(`${place.path}-wal`).length).toBeGreaterThan(0)
  await clock.advance(PURGE_AFTER_MS - 1)
  expect(await counted()).toBe(before)
  await clock.advance(1)
  await expect.poll(counted).toBe(before + 1)
  expect(readFileSync(`${place.path}-wal`).length).toBe(0)
  await clock.advance(PURGE_AFTER_MS * 3)
  expect(await counted()).toBe(before + 1)
  await store.close()
})
