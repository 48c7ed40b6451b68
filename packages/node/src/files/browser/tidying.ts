/** Removes what a browser keeps of files that no transfer leads to any more. Runs in the worker. */
import type { KeptTransfers } from '@skein/core'
import type { UseStore } from 'idb-keyval'
import { LEFT_OVER_MS } from '../constants.ts'
import { asked, below, CHOSEN, RECEIVED, RECEIVING, type Received, type Receiving, settled } from './kept.ts'
import { forgetReceiving } from './page-byte-sink.ts'
import { removeReceived } from './received.ts'

export interface Tidying {
  /** Of the identity. */
  readonly name: string
  readonly records: UseStore
  /** Milliseconds since 1970. */
  readonly now: number
}

/** What is younger than a day may belong to something that has just begun (FI40). */
export async function tidyPage({ name, records, now }: Tidying, { ids, places, paths }: KeptTransfers): Promise<void> {
  const old = (prefix: string, kept: Iterable<string>): Promise<readonly string[]> => leftOver(records, { prefix, kept, now })
  const chosen = await old(CHOSEN, places.flatMap(idsIn))
  await records('readwrite', (store) => {
    for (const id of chosen) store.delete(CHOSEN + id)
    return settled(store)
  })
  for (const id of await old(RECEIVING, ids)) await forgetReceiving(name, records, id)
  for (const path of await old(RECEIVED, [...paths, ...(await placed(records))])) await removeReceived(name, path)
}

/** Names behind `prefix`. */
async function leftOver(
  records: UseStore,
  { prefix, kept, now }: { readonly prefix: string; readonly kept: Iterable<string>; readonly now: number },
): Promise<readonly string[]> {
  const known = new Set(kept)
  const keys = await records('readonly', (store) => asked(store.getAllKeys(below(prefix))))
  const names = keys.map((key) => String(key).slice(prefix.length)).filter((each) => !known.has(each))
  const found = await records('readonly', (store) =>
    Promise.all(names.map((each) => asked(store.get(prefix + each) as IDBRequest<Received | Receiving | undefined>))),
  )
  return names.filter((_, at) => now - (found[at]?.at ?? 0) > LEFT_OVER_MS)
}

/** Where transfers that are not yet done have put something. */
async function placed(records: UseStore): Promise<readonly string[]> {
  const all = await records('readonly', (store) => asked(store.getAll(below(RECEIVING)) as IDBRequest<Receiving[]>))
  return all.flatMap(({ path }) => (path === undefined ? [] : [path]))
}

/** Of what is received, `place` is a folder and nothing more. */
function idsIn(place: string): readonly string[] {
  return place.startsWith('[') ? (JSON.parse(place) as string[]) : []
}
