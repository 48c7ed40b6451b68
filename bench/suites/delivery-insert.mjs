// Our message insert against the same rows through bare better-sqlite3: the same table and indexes (the search index is ours
// alone), the same durability, a hundred rows in each transaction, in turns within one run.
import { createRequire } from 'node:module'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { deviceIdFromKey, accountIdFromDigest, messageIdFromBytes } from '@skein/core'
import { randomBytes } from 'node:crypto'
import { openStore, STORAGE_KEY_BYTES } from '@skein/node/store'

const Database = createRequire(new URL('../../packages/node/package.json', import.meta.url))('better-sqlite3')
const PER_TRANSACTION = 100
const ROUNDS = 5
const TRANSACTIONS = 20

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** What a message is that nobody has read or said anything about. */
const UNTOUCHED = {
  kind: 'text',
  replyTo: null,
  shared: null,
  disappearAfterMs: null,
  disappearAt: null,
  editedAt: null,
  deletedAt: null,
  ownReaction: null,
  contactReaction: null,
  seen: true,
}

/** @param textOf the text of message number `at` */
export function messages(count, { from = 0, textOf = () => 'x'.repeat(200) } = {}) {
  const sender = deviceIdFromKey(new Uint8Array(randomBytes(32)))
  const contact = accountIdFromDigest(new Uint8Array(32))
  return Array.from({ length: count }, (_, at) => ({
    ...UNTOUCHED,
    id: messageIdFromBytes(new Uint8Array(randomBytes(16))),
    contact,
    direction: 'out',
    sender,
    text: textOf(from + at),
    state: 'queued',
    reason: null,
    createdAt: from + at,
    hlcMs: from + at,
    hlcCounter: 0,
    receivedAt: null,
    deliveredAt: null,
  }))
}

const COLUMNS = 'id, sender, contact, direction, text, state, reason, created_at, hlc_ms, hlc_counter, received_at, delivered_at'

/** Both figures in rows a second. @returns their ratio, ours to theirs */
export async function insertRatio(dir) {
  const own = join(dir, 'insert')
  mkdirSync(own)
  const path = join(own, 'ours.sqlite')
  const storageKey = async () => new Uint8Array(STORAGE_KEY_BYTES)
  // One process at a time has the file: the schema is read before it is used.
  await (await openStore({ path, storageKey })).close()
  const bare = new Database(join(own, 'bare.sqlite'))
  const like = new Database(path, { readonly: true, fileMustExist: true })
  const schema = like
    .prepare("SELECT sql FROM sqlite_master WHERE tbl_name = 'messages' AND type IN ('table', 'index') AND sql IS NOT NULL")
    .all()
  like.close()
  const store = await openStore({ path, storageKey })
  bare.pragma('journal_mode = WAL')
  bare.pragma('synchronous = FULL')
  for (const { sql } of schema) bare.exec(sql)
  const insert = bare.prepare(
    `INSERT INTO messages (${COLUMNS}) VALUES (${COLUMNS.split(', ')
      .map(() => '?')
      .join()})`,
  )
  const all = bare.transaction((rows) => {
    for (const m of rows)
      insert.run(
        m.id,
        m.sender,
        m.contact,
        m.direction,
        m.text,
        m.state,
        m.reason,
        m.createdAt,
        m.hlcMs,
        m.hlcCounter,
        m.receivedAt,
        m.deliveredAt,
      )
  })
  const ratios = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const theirs = timed(() => {
      for (let each = 0; each < TRANSACTIONS; each += 1) all(messages(PER_TRANSACTION))
    })
    const start = performance.now()
    for (let each = 0; each < TRANSACTIONS; each += 1)
      await Promise.all(messages(PER_TRANSACTION).map((message) => store.commit([{ kind: 'message.insert', message }])))
    ratios.push(theirs / (performance.now() - start))
  }
  await store.close()
  bare.close()
  return median(ratios)
}

function timed(work) {
  const start = performance.now()
  work()
  return performance.now() - start
}
