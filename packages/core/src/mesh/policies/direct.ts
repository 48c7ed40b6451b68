import { oldestReceived } from './oldest-first.ts'
import type { CarryingPolicy } from './policy.ts'

/** Whoever made a bundle keeps it until it meets the recipient: the least any network can do. */
export function directPolicy(): CarryingPolicy {
  return {
    name: 'direct',
    resumes: false,
    cures: false,
    summarises: true,
    initialCopies: () => 1,
    met: () => undefined,
    stayed: () => undefined,
    prospects: () => new Map(),
    experience: () => [],
    wants: () => false,
    pick: () => undefined,
    split: (copies) => ({ given: copies, kept: copies }),
    victim: oldestReceived,
  }
}
