import { expect, it } from 'vitest'
import { folder, message, oldDatabase, open } from './store-fixtures.ts'

/** Before words of all scripts were indexed. */
const BEFORE = 11

it('[MK11] what an earlier version has kept is found in every script, and forgotten when it goes', async () => {
  using place = folder()
  const old = oldDatabase(place, BEFORE)
  const insert = old.prepare(
    `INSERT INTO messages (id, sender, contact, direction, text, state, created_at, hlc_ms, hlc_counter, disappear_at)
     VALUES (?, 'them', ?, 'in', ?, 'delivered', 1, ?, 0, ?)`,
  )
  const { contact } = message(1)
  insert.run(message(1).id, contact, 'мой 東京都', 1, null)
  insert.run(message(2).id, contact, 'твой', 2, 5)
  old.close()
  const store = await open(place)
  const found = async (query: string) => (await store.search(query)).map(({ id }) => id)
  expect([await found('мой'), await found('京都'), await found('твой')]).toEqual([[message(1).id], [message(1).id], [message(2).id]])
  await store.commit([{ kind: 'messages.disappear', at: 9 }])
  expect([await found('мой'), await found('твой')]).toEqual([[message(1).id], []])
  await store.close()
})
