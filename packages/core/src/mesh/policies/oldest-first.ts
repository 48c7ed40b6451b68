import type { HeldBundle } from '../bundle.ts'

/** The copy of the lowest priority that has been here longest: where all have one priority, what the reference routers drop. */
export function oldestReceived(among: Iterable<HeldBundle>): HeldBundle | undefined {
  let oldest: HeldBundle | undefined
  for (const held of among) {
    const before = oldest === undefined ? -1 : held.priority - oldest.priority || held.receivedAt - oldest.receivedAt
    if (before < 0) oldest = held
  }
  return oldest
}
