import { oldestReceived } from './oldest-first.ts'
import type { CarryingPolicy } from './policy.ts'
import { randomChoice } from './random-choice.ts'

/** Copies a bundle starts with, as in the reference runs. */
export const SPRAY_COPIES = 6

/** Binary spray and wait (Spyropoulos et al. 2005): a carrier gives half of its copies away until one is left. */
export function sprayAndWaitPolicy(copies: number = SPRAY_COPIES): CarryingPolicy {
  return {
    name: 'spray-and-wait',
    resumes: false,
    cures: false,
    summarises: true,
    initialCopies: () => copies,
    met: () => undefined,
    stayed: () => undefined,
    prospects: () => new Map(),
    experience: () => [],
    wants: (held) => held.copies > 1,
    pick: (neighbour, context) => randomChoice(neighbour, context, (held) => held.copies > 1),
    split: (held) => ({ given: Math.floor(held / 2), kept: Math.ceil(held / 2) }),
    victim: oldestReceived,
  }
}
