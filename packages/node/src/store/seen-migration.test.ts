import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { openStore } from './better-sqlite3.ts'
import { MIGRATIONS } from './migrations.gen.ts'
import { message } from './store-fixtures.ts'

/** Before `seen` was kept with each message. */
const BEFORE = 8

it('[ST46] a database of an earlier version knows what was read by how far the user had come', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skein-store-'))
  const path = join(dir, 'skein.sqlite')
  const old = new Database(path)
  old.exec('CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)')
  for (const { sql, hash, folderMillis } of MIGRATIONS.slice(0, BEFORE)) {
    for (const statement of sql) old.exec(statement)
    old.prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)').run(hash, folderMillis)
  }
  const insert = old.prepare(
    `INSERT INTO messages (id, sender, contact, direction, text, state, created_at, hlc_ms, hlc_counter) VALUES (?, 'them', ?, ?, 'x', 'delivered', 1, ?, 0)`,
  )
  const { contact } = message(1)
  for (const number of [1, 2, 3]) insert.run(message(number).id, contact, 'in', number)
  insert.run(message(4).id, contact, 'out', 4)
  insert.run(message(5).id, 'unread', 'in', 5)
  old.prepare('INSERT INTO settings (key, value) VALUES (?, ?)').run(`seen.${contact}`, message(2).id)
  old.close()
  const store = await openStore({ path, storageKey: () => Promise.resolve(new Uint8Array(32).fill(7)) })
  expect((await store.unseen(contact, 9)).map(({ id }) => id)).toEqual([message(3).id])
  expect((await store.unseen('unread' as typeof contact, 9)).map(({ id }) => id)).toEqual([message(5).id])
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})
