/** What a source is to a browser, between its offer and its end: ids of what was chosen, or what was received. */
import type { UseStore } from 'idb-keyval'
import { asked, type Chosen, type ChosenFile, chosenKey } from './kept.ts'
import { openReceived } from './received.ts'

/** An identity within the origin. */
export interface Own {
  readonly name: string
  readonly records: UseStore
}

export const placeOfReceived = (path: string): string => JSON.stringify({ received: path })

/** Files of the source, those that were received without what is said of them elsewhere; nothing when they are there no longer. */
export async function filesAt({ name, records }: Own, place: string): Promise<readonly ChosenFile[]> {
  const parsed = JSON.parse(place) as readonly string[] | { readonly received: string }
  if (!('received' in parsed)) return chosenFiles(records, parsed)
  const files = await openReceived(name, parsed.received)
  return files.map(({ path, content }) => ({ path, file: content && new File([content], '') }))
}

export async function chosenFiles(records: UseStore, ids: readonly string[]): Promise<readonly ChosenFile[]> {
  const all = await records('readonly', (store) =>
    Promise.all(ids.map((id) => asked(store.get(chosenKey(id)) as IDBRequest<Chosen | undefined>))),
  )
  return all.flatMap((each) => each?.files ?? [])
}
