import type { HeldBundle } from './bundle.ts'

/** Bundles of one neighbour that count at most, and how many of them are forgotten per second (ME47): all in half an hour. */
export const BURDEN = { burst: 64, perSecond: 64 / 1_800 } as const
/** So many bundles of one neighbour share the first rank; each further rank holds twice as many. */
const FIRST_RANK = 4

/**
 * @param brought how many bundles a neighbour has brought for others of late, whether they are still here or not
 * @returns the rank of its next one: larger ones go later, and make room sooner, so that who brings much gets in the way of nobody who brings little
 */
export function rankAfter(brought: number): number {
  return Math.floor(Math.log2(1 + brought / FIRST_RANK))
}

/** What has a lower one is handed over sooner, and dropped later. */
export function rankOf(held: HeldBundle): number {
  return held.rank ?? 0
}

/** Those of the highest rank, of which one makes room; for a newcomer with a rank above 0 theirs has to be higher. */
export function givingWay(among: readonly HeldBundle[], rank: number): readonly HeldBundle[] {
  const most = Math.max(rank && rank + 1, ...among.map(rankOf))
  return among.filter((held) => rankOf(held) === most)
}
