/** How fast something moves, over the last seconds. */

/** Older moves do not count, ms. */
const SPAN_MS = 5_000

export class Rate {
  private readonly moves: { readonly at: number; readonly bytes: number }[] = []

  /** @param at ms of a monotonic clock */
  add(bytes: number, at: number): void {
    const last = this.moves.at(-1)
    // One entry each 100 ms is enough.
    if (last !== undefined && at - last.at < 100) this.moves[this.moves.length - 1] = { at: last.at, bytes: last.bytes + bytes }
    else this.moves.push({ at, bytes })
  }

  /** Bytes a second. */
  at(now: number): number {
    while ((this.moves[0]?.at ?? now) < now - SPAN_MS) this.moves.shift()
    const first = this.moves[0]
    if (first === undefined) return 0
    const bytes = this.moves.reduce((sum, move) => sum + move.bytes, 0)
    return Math.round((bytes * 1_000) / Math.max(100, now - first.at))
  }
}
