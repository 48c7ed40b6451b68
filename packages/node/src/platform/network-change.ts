/** What has changed about this machine's network, for whoever deals with it; pages have nobody who tells. */

export interface NetworkChange {
  /** Addresses that there are now, loopback included. */
  readonly present: ReadonlySet<string>
  /** Whether one that was there has gone. */
  readonly hasLost: boolean
  /** Whether there is a way out, which is what it was, and so are the addresses used on it: only something beside them has come or gone. */
  readonly isSameWay: boolean
  /** How long the machine has slept just now, ms. */
  readonly sleptMs: number
}

/** A container's interface, say: nothing changes about the way out, nor about whoever is reached by it. */
export function isBeside({ isSameWay, sleptMs }: NetworkChange): boolean {
  return isSameWay && sleptMs === 0
}
