/** IndexedDB of one identity: small records beside the database. */
import { createStore, type UseStore } from 'idb-keyval'

/** @param name of the identity within the origin */
export function records(name: string): UseStore {
  return createStore(`skein-${name}`, 'records')
}
