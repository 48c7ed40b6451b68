import { expect, it } from 'vitest'
import { folder, message, oldDatabase, open } from './store-fixtures.ts'

/** Before `seen` was kept with each message. */
const BEFORE = 8

it('[ST46] a database of an earlier version knows what was read by how far the user had come', async () => {
  using place = folder()
  const old = oldDatabase(place, BEFORE)
  const insert = old.prepare(
    `INSERT INTO messages (id, sender, contact, direction, text, state, created_at, hlc_ms, hlc_counter) VALUES (?, 'them', ?, ?, 'x', 'delivered', 1, ?, 0)`,
  )
  const { contact } = message(1)
  for (const number of [1, 2, 3]) insert.run(message(number).id, contact, 'in', number)
  insert.run(message(4).id, contact, 'out', 4)
  insert.run(message(5).id, 'unread', 'in', 5)
  old.prepare('INSERT INTO settings (key, value) VALUES (?, ?)').run(`seen.${contact}`, message(2).id)
  old.close()
  const store = await open(place)
  expect((await store.unseen(contact, 9)).map(({ id }) => id)).toEqual([message(3).id])
  expect((await store.unseen('unread' as typeof contact, 9)).map(({ id }) => id)).toEqual([message(5).id])
  await store.close()
})
