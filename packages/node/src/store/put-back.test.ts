import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { expect, it } from 'vitest'
import type { AnyDatabase } from './queries.ts'
import { DEVICE, folder, type Folder, message, open, prekey, sessionPut } from './store-fixtures.ts'
import { compareUse } from './use-count.ts'
import { useMarkFile } from './use-mark-file.ts'

const FILES = ['', '-wal', '-shm']

function copy({ path }: Folder, from: string, to: string): void {
  for (const file of FILES) {
    rmSync(`${path}${to}${file}`, { force: true })
    if (existsSync(`${path}${from}${file}`)) copyFileSync(`${path}${from}${file}`, `${path}${to}${file}`)
  }
}

it.each(['running', 'closed'])('[ST29] a copy of a %s store that is put back is noticed: its sessions go, all else stays', async (when) => {
  using place = folder()
  let store = await open(place)
  await store.commit([sessionPut(1), { kind: 'message.insert', message: message(1) }, { kind: 'prekey.put', prekey: prekey(1) }])
  if (when === 'closed') await store.close()
  copy(place, '', '.copy')
  if (when === 'closed') store = await open(place)
  await store.commit([sessionPut(2)])
  await store.close()
  copy(place, '.copy', '')

  store = await open(place)
  expect(store.restored).toBe(true)
  expect(await store.session(DEVICE)).toBeNull()
  expect(await store.message(message(1).id)).not.toBeNull()
  expect(await store.prekeys()).toHaveLength(1)
  await store.commit([sessionPut(1)])
  await store.close()

  store = await open(place)
  expect(store.restored).toBe(false)
  expect((await store.session(DEVICE))?.version).toBe(1)
  await store.close()
})

it('[ST29] a whole data directory that was copied is noticed, the one it was copied from goes on', async () => {
  using place = folder()
  using other = folder()
  const store = await open(place)
  await store.commit([sessionPut(1), { kind: 'message.insert', message: message(1) }])
  await store.close()
  cpSync(place.dir, other.dir, { recursive: true, preserveTimestamps: true })
  for (const [at, restored] of [
    [place, false],
    [other, true],
    [other, false],
  ] as const) {
    const opened = await open(at)
    expect(opened.restored).toBe(restored)
    expect((await opened.session(DEVICE)) === null).toBe(at === other)
    expect(await opened.message(message(1).id)).not.toBeNull()
    await opened.close()
  }
})

it('[ST29] the same copy put back twice is noticed twice', async () => {
  using place = folder()
  await (await open(place)).close()
  copy(place, '', '.copy')
  for (let round = 0; round < 2; round += 1) {
    await (await open(place)).close()
    copy(place, '.copy', '')
    const store = await open(place)
    expect(store.restored).toBe(true)
    await store.close()
  }
})

it('[ST29] an old state that was put back over the newer one, with its mark, is noticed', async () => {
  const db = drizzle(new Database(':memory:'))
  db.run(sql`CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)`)
  db.run(sql`CREATE TABLE sessions (device TEXT PRIMARY KEY NOT NULL)`)
  const file = { count: 0, at: 0 }
  let now = 1_000_000
  const write = (count: number): unknown => Object.assign(file, { count, at: now })
  const mark = { read: () => file.count, write: (count: number) => void write(count), writtenAt: () => file.at }
  const compare = (): Promise<boolean> => compareUse(db as unknown as AnyDatabase, mark, () => false)
  expect([await compare(), await compare()]).toEqual([false, false])
  // The same bytes, written by somebody else an hour later.
  now += 3_600_000
  write(file.count)
  expect([await compare(), await compare()]).toEqual([true, false])
  // The process ended between the mark and the note of it.
  write(file.count + 1)
  db.run(sql`UPDATE settings SET value = ${file.count} WHERE key = 'storage.use'`)
  now += 3_600_000
  expect(await compare()).toBe(false)
})

it('[ST29] what the mark of a file says to be its instant is not set by copying', () => {
  using place = folder()
  const [database, path, kept] = ['skein.sqlite', 'storage.use', 'kept'].map((name) => join(place.dir, name))
  if (database === undefined || path === undefined || kept === undefined) throw new Error('no names')
  const mark = useMarkFile(path, database)
  mark.write(7)
  const written = mark.writtenAt?.()
  cpSync(path, kept, { preserveTimestamps: true })
  utimesSync(kept, 0, 0)
  rmSync(path)
  cpSync(kept, path, { preserveTimestamps: true })
  expect(mark.read()).toBe(7)
  if (process.platform !== 'win32') expect(mark.writtenAt?.()).toBeGreaterThanOrEqual(written ?? Number.POSITIVE_INFINITY)
})

it('[ST30] a mark that is missing or damaged is no sign of a copy', async () => {
  using place = folder()
  const mark = join(place.dir, 'storage.use')
  const use = async (): Promise<boolean> => {
    const store = await open(place)
    const { restored } = store
    await store.close()
    return restored
  }
  expect(await use()).toBe(false)
  const before = Number.parseInt(readFileSync(mark, 'utf8'), 10)
  rmSync(mark)
  expect(await use()).toBe(false)
  expect(Number.parseInt(readFileSync(mark, 'utf8'), 10)).toBeGreaterThan(before)
  for (const nonsense of ['', 'x', '-4', '1e400', '7.5']) {
    writeFileSync(mark, nonsense)
    expect(await use()).toBe(false)
  }
})

it('[ST30] a full disk keeps nobody from reading, and a use that was not counted is no sign of a copy', async () => {
  const db = drizzle(new Database(':memory:'))
  db.run(sql`CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)`)
  let marked = 0
  let failure: string | undefined
  const write = (count: number): void => {
    if (failure !== undefined) throw Object.assign(new Error('no'), { code: failure })
    marked = count
  }
  const compare = (): Promise<boolean> =>
    compareUse(db as unknown as AnyDatabase, { read: () => marked, write }, (error) => (error as { code?: string }).code === 'ENOSPC')
  expect(await compare()).toBe(false)
  failure = 'ENOSPC'
  expect(await compare()).toBe(false)
  failure = undefined
  expect(await compare()).toBe(false)
  expect(marked).toBe(3)
  failure = 'EIO'
  await expect(compare()).rejects.toMatchObject({ code: 'EIO' })
})

/**
 * Commits a state and a message together, purges now and then, and says how far it is, until it is killed. Starting it
 * takes far longer than writing: it works on several databases by turns, each at another step when the end comes.
 */
const program = (paths: readonly string[]): string => `
  import { openStore } from ${JSON.stringify(new URL('better-sqlite3.ts', import.meta.url).href)}
  import { DEVICE, message, sessionPut, storageKey } from ${JSON.stringify(new URL('store-fixtures.ts', import.meta.url).href)}
  const write = async (path, place) => {
    const store = await openStore({ path, storageKey })
    if (store.restored) process.stdout.write(place + ' restored\\n')
    const stored = await store.session(DEVICE)
    for (let version = (stored?.version ?? 0) + 1; ; version += 1) {
      await store.commit([sessionPut(version, 100 + (version % 7) * 900), { kind: 'message.insert', message: message(version) }])
      process.stdout.write(place + ' ' + version + '\\n')
      if (version % 5 === place) await store.purge()
    }
  }
  await Promise.all(${JSON.stringify(paths)}.map(write))`

/** @returns what the child said before it was killed, `ms` after its first word */
async function killedAfter(paths: readonly string[], ms: number): Promise<string[]> {
  // Compiling the libraries would be nearly all of the time.
  const env = { ...process.env, NODE_COMPILE_CACHE: `${paths[0]}.compiled` }
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(paths)], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const closed = once(child, 'close')
  let text = ''
  child.stdout.on('data', (part: Buffer) => {
    if (text === '') setTimeout(() => child.kill('SIGKILL'), ms)
    text += part.toString()
  })
  await closed
  return text.split('\n').slice(0, -1)
}

/** Last version that the child said was durable in a place; 0 if it came to none. */
function acknowledged(lines: readonly string[], place: number): number {
  return Number(lines.findLast((line) => line.startsWith(`${place} `))?.split(' ')[1] ?? 0)
}

/** Kills, each at an instant of its own. */
const KILLS = 12
const PLACES = 4

it('[ST30] [ST31] killed at any instant: no false alarm, nothing acknowledged is lost, session and messages agree', {
  timeout: 120_000,
}, async () => {
  using stack = new DisposableStack()
  const places = Array.from({ length: PLACES }, () => stack.use(folder()))
  for (let kill = 0; kill < KILLS; kill += 1) {
    const lines = await killedAfter(
      places.map(({ path }) => path),
      kill * 1.7,
    )
    expect(lines.filter((line) => line.endsWith('restored'))).toEqual([])
    for (const [number, place] of places.entries()) {
      const store = await open(place)
      expect(store.restored).toBe(false)
      const version = (await store.session(DEVICE))?.version ?? 0
      expect(version).toBeGreaterThanOrEqual(acknowledged(lines, number))
      expect((await store.history(message(1).contact, { limit: 1 }))[0]?.createdAt ?? 0).toBe(version)
      await store.close()
    }
  }
  const reached = await open(places[0] as Folder)
  expect((await reached.session(DEVICE))?.version).toBeGreaterThan(KILLS)
  await reached.close()
})
