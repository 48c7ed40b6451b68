// Nodes that do not do what they should. All of them take what they are given; none can make a cure.
import { MAX_COPIES, MAX_HOPS, MeshNode } from '@skein/core'
import { identityOf } from './identities.mjs'

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

/** Does its part, and hands whatever it ever had to everybody it meets once more: what has arrived, what was refused, what is here already. */
class Replayer extends MeshNode {
  #kept = new Map()
  #replayed = new Map()

  linkUp(info, now) {
    this.#replayed.set(info.link, new Set())
    super.linkUp(info, now)
  }

  linkDown(link, now) {
    this.#replayed.delete(link)
    super.linkDown(link, now)
  }

  received(handover, from, now) {
    const { header, hops } = handover
    this.#kept.set(header.key, { ...header, receivedAt: now, hops, hopLimit: MAX_HOPS, copies: MAX_COPIES })
    return super.received(handover, from, now)
  }

  carriable(links, now, busy) {
    return super.carriable(links, now, busy) ?? this.#replay(links)
  }

  #replay(links) {
    for (const link of links) {
      const replayed = this.#replayed.get(link) ?? new Set()
      for (const [key, bundle] of this.#kept) {
        if (replayed.has(key)) continue
        replayed.add(key)
        return { link, bundle: { ...bundle } }
      }
    }
    return undefined
  }
}

const JUNK_BYTES = 50_000
const JUNK_LIFE_MS = 86_400_000

/** Fills every link with bundles for one of its own kind, each new and with as many copies as any may have, as long as they are taken. */
class Flooder extends MeshNode {
  #own
  #made = 0
  #refusedBy = new Set()

  constructor(options) {
    super(options)
    ;[this.#own] = options.addresses
  }

  linkDown(link, now) {
    this.#refusedBy.delete(link)
    super.linkDown(link, now)
  }

  refused(choice, why) {
    this.#refusedBy.add(choice.link)
    super.refused(choice, why)
  }

  carriable(links, now) {
    const link = links.find((each) => !this.#refusedBy.has(each))
    if (link === undefined) return undefined
    this.#made += 1
    const { cureKey: _, ...identity } = identityOf(`junk ${this.#made} of ${this.#own}`)
    const header = { ...identity, address: this.#own, expiresAt: now + JUNK_LIFE_MS, priority: 1, bytes: JUNK_BYTES }
    return { link, bundle: { ...header, receivedAt: now, hops: 0, hopLimit: MAX_HOPS, copies: 2 * MAX_COPIES } }
  }
}

export const ADVERSARIES = {
  /** Swallows everything. */
  'black-hole': { Node: BlackHole },
  /** Swallows half. */
  selective: { Node: SelectiveForwarder },
  /** Says that it collects everybody's tags, and swallows what it gets by that. */
  thief: { Node: BlackHole, claims: 'addresses' },
  /** Fills links and stores. */
  flooder: { Node: Flooder },
  /** Hands on what it ever had again and again. */
  replayer: { Node: Replayer },
  /** Says that it has just met everybody, so that all give it copies, and swallows them. */
  sybil: { Node: BlackHole, claims: 'news' },
}
