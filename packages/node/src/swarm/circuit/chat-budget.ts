/** How much of what one peer sends goes as chat, over all its circuits: more flows are not more chat. */

/** At once after a pause: the burst of four flows. */
const BURST_BYTES = 1_048_576
/** Each second after that: more than anybody types, and what a busy device with many conversations sends. */
const BYTES_PER_SECOND = 131_072
/** Peers remembered; the one that sent longest ago starts afresh. */
const MAX_PEERS = 8_192

export class ChatBudget {
  /** What has passed lately; the longest unchanged first. */
  readonly #recent = new Map<string, { readonly bytes: number; readonly at: number }>()
  /** Monotonic milliseconds. */
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Takes all of it, if there is room. */
  take(peer: string, bytes: number): boolean {
    const now = this.#now()
    const before = this.#recent.get(peer)
    const left = before === undefined ? 0 : Math.max(0, before.bytes - ((now - before.at) / 1_000) * BYTES_PER_SECOND)
    const fits = left + bytes <= BURST_BYTES
    this.#recent.delete(peer)
    this.#recent.set(peer, { bytes: fits ? left + bytes : left, at: now })
    const [oldest] = this.#recent.keys()
    if (this.#recent.size > MAX_PEERS && oldest !== undefined) this.#recent.delete(oldest)
    return fits
  }
}
