import type { BundleKey, HeldBundle } from '../bundle.ts'
import type { BundleStore } from '../bundle-store.ts'

/** The copy that has been here longest and is not being sent: what the reference routers drop. */
export function oldestReceived(store: BundleStore, busy: ReadonlySet<BundleKey>): HeldBundle | undefined {
  let oldest: HeldBundle | undefined
  for (const held of store.all()) if (!busy.has(held.key) && (oldest === undefined || held.receivedAt < oldest.receivedAt)) oldest = held
  return oldest
}
