// Nodes that do not do what they should. All of them take what they are given; none can make a cure.
import { MeshNode } from '@skein/core'

/** Gives nothing to anybody. */
class BlackHole extends MeshNode {
  deliverable() {
    return undefined
  }

  carriable() {
    return undefined
  }
}

/** Gives every other bundle it is asked for, by its id. */
class SelectiveForwarder extends MeshNode {
  deliverable(links, now) {
    return fair((swallowed) => super.deliverable(links, now, swallowed))
  }

  carriable(links, now) {
    return fair((swallowed) => super.carriable(links, now, swallowed))
  }
}

/** What it swallows holds up nothing that it gives. */
function fair(next) {
  const swallowed = new Set()
  for (;;) {
    const choice = next(swallowed)
    if (choice === undefined || Number.parseInt(choice.bundle.key.at(-1), 16) % 2 === 0) return choice
    swallowed.add(choice.bundle.key)
  }
}

export const ADVERSARIES = {
  /** Swallows everything. */
  'black-hole': { Node: BlackHole },
  /** Swallows half. */
  selective: { Node: SelectiveForwarder },
  /** Says that it collects everybody's tags, and swallows what it gets by that. */
  thief: { Node: BlackHole, claims: 'addresses' },
  /** Says that it has just met everybody, so that all give it copies, and swallows them. */
  sybil: { Node: BlackHole, claims: 'news' },
}
