// A search over a hundred thousand messages of a dozen words each, through the store's own interface: rare words, common
// ones, two together, and beginnings of words.
import { join } from 'node:path'
import { openStore, STORAGE_KEY_BYTES } from '@skein/node/store'
import { messages } from './delivery-insert.mjs'

const MESSAGES = 100_000
const BATCH = 1_000
const WORDS_EACH = 12
const VOCABULARY = 20_000
const LIMIT = 100

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** Words are as frequent as in a language: the n-th about one n-th as often as the first (Zipf). */
function wordAt(place, number) {
  const share = ((number * 7_919 + place * 104_729) % 1_000_003) / 1_000_003
  return `w${Math.floor(VOCABULARY ** share)}ord`
}

const textOf = (number) => Array.from({ length: WORDS_EACH }, (_, place) => wordAt(place, number)).join(' ')

/** @returns milliseconds of the median and of the slowest query */
export async function searchTimes(dir) {
  const store = await openStore({ path: join(dir, 'search.sqlite'), storageKey: async () => new Uint8Array(STORAGE_KEY_BYTES) })
  for (let from = 0; from < MESSAGES; from += BATCH)
    await store.commit(messages(BATCH, { from, textOf }).map((message) => ({ kind: 'message.insert', message })))
  const queries = ['w1ord', 'w5000ord', 'w19999ord', 'w1ord w2ord', 'w12', 'w1 w7']
  const times = []
  for (const query of [...queries, ...queries, ...queries]) {
    const start = performance.now()
    await store.search(query, { limit: LIMIT })
    times.push(performance.now() - start)
  }
  await store.close()
  return { median: median(times), most: Math.max(...times) }
}
