import type { BundleKey } from '../bundle.ts'
import { bound } from '../neighbourhood.ts'

/** What was refused so often is not sent again: refusing costs nothing, sending does. */
const MAX_REFUSALS = 3
/** A neighbour that had no room, or could not open it, is asked again after so long, in milliseconds (ME20). */
export const AGAIN_AFTER_MS = 900_000
/** Bundles whose refusals are remembered of one neighbour, and neighbours of whom; the first ones are forgotten. */
const MAX_REFUSED = 4_096
const MAX_PEERS = 64

interface Refused {
  readonly count: number
  /** Monotonic milliseconds of the last time. */
  readonly at: number
  readonly isFinal: boolean
}

/** What one neighbour did not take. */
export class Refusals {
  private readonly refused = new Map<BundleKey, Refused>()

  /** @param isFinal it will be the same another time */
  add(key: BundleKey, { isFinal, now }: { readonly isFinal: boolean; readonly now: number }): void {
    this.refused.set(key, { count: (this.refused.get(key)?.count ?? 0) + 1, at: now, isFinal })
    bound(this.refused, MAX_REFUSED)
  }

  /** Whether a bundle is not to be sent at present. */
  isTired(key: BundleKey, now: number): boolean {
    const before = this.refused.get(key)
    return before !== undefined && before.count >= MAX_REFUSALS && (before.isFinal || now - before.at < AGAIN_AFTER_MS)
  }
}

/** By peer: whoever refuses and comes again is not brought the same anew. */
export class RefusalsOfPeers {
  private readonly peers = new Map<string, Refusals>()

  of(peer: string): Refusals {
    const refusals = this.peers.get(peer) ?? new Refusals()
    this.peers.delete(peer)
    this.peers.set(peer, refusals)
    bound(this.peers, MAX_PEERS)
    return refusals
  }
}
