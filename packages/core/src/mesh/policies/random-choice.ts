import { isRelayable, type HeldBundle } from '../bundle.ts'
import { lacks, type Neighbour } from '../neighbour.ts'
import type { PolicyContext } from './policy.ts'

/** One of the bundles the neighbour lacks and `eligible` lets pass, each with equal chance. */
export function randomChoice(
  neighbour: Neighbour,
  context: PolicyContext,
  eligible: (held: HeldBundle) => boolean,
): HeldBundle | undefined {
  const { store, now, random } = context
  let chosen: HeldBundle | undefined
  let seen = 0
  for (const held of store.all()) {
    if (!lacks(neighbour, held, context) || held.hopLimit < 1 || !isRelayable(held, now) || !eligible(held)) continue
    seen += 1
    if (seen === 1 || random.uniform() * seen < 1) chosen = held
  }
  return chosen
}
