import { oldestReceived } from './oldest-first.ts'
import type { CarryingPolicy } from './policy.ts'
import { randomChoice } from './random-choice.ts'

/** Everybody gets everything (Vahdat and Becker 2000): fastest while there is room, and no limit to what it costs. */
export function epidemicPolicy(): CarryingPolicy {
  return {
    name: 'epidemic',
    resumes: false,
    cures: false,
    summarises: true,
    initialCopies: () => 1,
    met: () => undefined,
    stayed: () => undefined,
    prospects: () => new Map(),
    experience: () => [],
    wants: () => true,
    pick: (neighbour, context) => randomChoice(neighbour, context, () => true),
    split: (copies) => ({ given: copies, kept: copies }),
    victim: oldestReceived,
  }
}
