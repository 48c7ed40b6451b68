import { isChunk } from '../bundle.ts'
import type { ArchivedStore } from './archived-store.ts'

/** Share of the room for parts of files, of all and of one source; what is made here is one (ME28). */
export const CHUNK_SHARE = { all: 1 / 4, each: 1 / 16 } as const

/** Whether `bytes` more of files fit; nothing is pushed out for them. @param from neighbour, or empty for what is made here */
export function hasRoomForChunk(store: ArchivedStore, { from, bytes }: { readonly from: string; readonly bytes: number }): boolean {
  const { capacityBytes, usedBytes } = store
  const charge = store.charge(bytes)
  let [all, each] = [charge, charge]
  for (const held of store.all()) {
    if (!isChunk(held)) continue
    all += store.charge(held.bytes)
    if (store.sourceOf(held.key) === from) each += store.charge(held.bytes)
  }
  return all <= capacityBytes * CHUNK_SHARE.all && each <= capacityBytes * CHUNK_SHARE.each && usedBytes + charge <= capacityBytes
}
