/** Restoring where something is there already, and where it fails on the way. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { clearBackups, makeBackup } from './backup.ts'
import { loadOrCreateSeed, RESTORING } from './identity.ts'
import { openRelayStore } from './relay-store.ts'
import { restoreBackup, Steps } from './restore.ts'
import { changeSettings, loadSettings } from './settings.ts'

let folder: string
let backup: string
let seed: Uint8Array
const place = (name: string): string => join(folder, name)

/** A relay that is off, with a value of its own in its store. */
function relayAt(dir: string, mode: string): Uint8Array {
  changeSettings(dir, { mode })
  const store = openRelayStore(dir)
  store.entries.put('who', Buffer.from(mode))
  store[Symbol.dispose]()
  return loadOrCreateSeed(dir)
}

function whoIs(dir: string): string {
  const store = openRelayStore(dir)
  const who = Buffer.from(store.entries.get('who') ?? []).toString()
  store[Symbol.dispose]()
  return who
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skein-restore-'))
  seed = relayAt(place('kept'), 'closed')
  const { database } = openRelayStore(place('kept'))
  const { part } = await makeBackup({ dataDir: place('kept'), database })
  database.close()
  backup = place('backup')
  renameSync(part, backup)
})
afterEach(() => rmSync(folder, { recursive: true }))

it('[RL17] takes the place of a relay whose database is damaged', () => {
  relayAt(place('ill'), 'token')
  const file = join(place('ill'), 'relay.sqlite')
  writeFileSync(file, Buffer.alloc(readFileSync(file).length, 7))
  expect(() => openRelayStore(place('ill'))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
  const { replaced } = restoreBackup(backup, place('ill'), { replace: true })
  expect([loadOrCreateSeed(place('ill')), whoIs(place('ill')), loadSettings(place('ill')).mode]).toEqual([seed, 'closed', 'closed'])
  expect(loadSettings(String(replaced)).mode).toBe('token')
  expect(readFileSync(join(String(replaced), 'relay.sqlite'))[0]).toBe(7)
})

it('[RL17] a database without a key goes aside with its log, which is not read into the new one', () => {
  const dir = place('keyless')
  relayAt(dir, 'token')
  const running = openRelayStore(dir)
  running.entries.put('who', Buffer.from('somebody else'))
  for (const name of ['relay.sqlite', 'relay.sqlite-wal']) copyFileSync(join(dir, name), place(name))
  running[Symbol.dispose]()
  for (const name of ['relay.sqlite', 'relay.sqlite-wal']) renameSync(place(name), join(dir, name))
  rmSync(join(dir, 'identity.seed'))
  const { replaced } = restoreBackup(backup, dir, { replace: false })
  expect([whoIs(dir), whoIs(String(replaced))]).toEqual(['closed', 'somebody else'])
})

it('[RL17] a restore that fails leaves the relay that was there, and nothing else', () => {
  const before = relayAt(place('old'), 'token')
  const names = readdirSync(place('old')).toSorted()
  // Read as a whole backup, and yet its list cannot be taken out of it.
  const odd = new Database(backup)
  odd.exec('ALTER TABLE backup RENAME TO rows; CREATE VIEW backup AS SELECT * FROM rows')
  odd.close()
  expect(() => restoreBackup(backup, place('old'), { replace: true })).toThrow(expect.objectContaining({ code: 'DATA_DIR_READ_ONLY' }))
  expect(readdirSync(place('old')).toSorted()).toEqual(names)
  expect([loadOrCreateSeed(place('old')), whoIs(place('old')), loadSettings(place('old')).mode]).toEqual([before, 'token', 'token'])
})

it('[RL17] what has been moved comes back, the last of it first', () => {
  const steps = new Steps()
  writeFileSync(place('a'), 'a')
  steps.makeFolder(place('aside'))
  steps.rename(place('a'), place('aside/a'))
  expect(() => steps.rename(place('none'), place('aside/b'))).toThrow('ENOENT')
  steps.undo()
  expect([readFileSync(place('a'), 'utf8'), existsSync(place('aside'))]).toEqual(['a', false])
})

it('[RL17] where a restore was cut off no relay gets a new key, until the restore has been made again', () => {
  const dir = place('half')
  mkdirSync(join(dir, RESTORING), { recursive: true })
  clearBackups(dir)
  expect(() => loadOrCreateSeed(dir)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT', message: expect.stringContaining('again') }))
  restoreBackup(backup, dir, { replace: false })
  expect([loadOrCreateSeed(dir), readdirSync(dir).toSorted()]).toEqual([seed, ['identity.seed', 'relay.sqlite', 'settings.json']])
  mkdirSync(join(dir, RESTORING))
  clearBackups(dir)
  expect(existsSync(join(dir, RESTORING))).toBe(false)
})
