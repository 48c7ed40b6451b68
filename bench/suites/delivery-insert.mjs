// Our message insert against the same rows through bare better-sqlite3: the same table and indexes (the search index is ours alone), the same durability, a hundred rows
// in each transaction, in turns within one run.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { deviceIdFromKey, accountIdFromDigest, messageIdFromBytes } from '@skein/core'
import { randomBytes } from 'node:crypto'
import { openStore, STORAGE_KEY_BYTES } from '../../packages/node/dist/store/index.js'

const Database = createRequire(new URL('../../packages/node/package.json', import.meta.url))('better-sqlite3')
const PER_TRANSACTION = 100
const ROUNDS = 5
const TRANSACTIONS = 20

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

function messages(count) {
  const sender = deviceIdFromKey(new Uint8Array(randomBytes(32)))
  const contact = accountIdFromDigest(new Uint8Array(32))
  return Array.from({ length: count }, (_, at) => ({
    id: messageIdFromBytes(new Uint8Array(randomBytes(16))),
    contact,
    direction: 'out',
    sender,
    kind: 'text',
    text: 'x'.repeat(200),
    ...NOTHING_ELSE,
    state: 'queued',
    reason: null,
    createdAt: at,
    hlcMs: at,
    hlcCounter: 0,
    receivedAt: null,
    deliveredAt: null,
  }))
}

const NOTHING_ELSE = Object.fromEntries(
  ['replyTo', 'shared', 'disappearAfterMs', 'disappearAt', 'editedAt', 'deletedAt', 'ownReaction', 'contactReaction'].map((name) => [
    name,
    null,
  ]),
)
const columnOf = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Both figures in rows a second. @returns their ratio, ours to theirs */
export async function insertRatio(dir) {
  const path = join(dir, 'ours.sqlite')
  const storageKey = async () => new Uint8Array(STORAGE_KEY_BYTES)
  // One process at a time has the file: the schema is read before it is used.
  await (await openStore({ path, storageKey })).close()
  const bare = new Database(join(dir, 'bare.sqlite'))
  const like = new Database(path, { readonly: true, fileMustExist: true })
  const schema = like
    .prepare("SELECT sql FROM sqlite_master WHERE tbl_name = 'messages' AND type IN ('table', 'index') AND sql IS NOT NULL")
    .all()
  like.close()
  const store = await openStore({ path, storageKey })
  bare.pragma('journal_mode = WAL')
  bare.pragma('synchronous = FULL')
  for (const { sql } of schema) bare.exec(sql)
  const names = Object.keys(messages(1)[0])
  const insert = bare.prepare(`INSERT INTO messages (${names.map(columnOf)}) VALUES (${names.map(() => '?')})`)
  const all = bare.transaction((rows) => {
    for (const row of rows) insert.run(...names.map((name) => row[name]))
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
