/** What was lost, doubled or out of order on the way from one to another, by both histories. */
export interface PairCounts {
  delivered: number
  lost: number
  doubled: number
  misordered: number
  /** Shown by the recipient, and unknown to whoever should have sent it. */
  unknown: number
}

export interface CountedLine {
  readonly id: string
  readonly direction: 'in' | 'out'
  /** Different for each message. */
  readonly text: string
}

/** @param mine ids that were reported as queued @param out history of the sender @param received history of the recipient */
export function countPair(mine: readonly string[], out: readonly CountedLine[], received: readonly CountedLine[]): PairCounts {
  const ids = (lines: readonly CountedLine[], direction: 'in' | 'out'): string[] =>
    lines.filter((each) => each.direction === direction).map(({ id }) => id)
  const [sent, arrived] = [ids(out, 'out'), ids(received, 'in')]
  const there = new Set(arrived)
  const order = new Map(sent.map((id, at) => [id, at]))
  const known = arrived.map((id) => order.get(id)).filter((place) => place !== undefined)
  return {
    delivered: mine.filter((id) => there.has(id)).length,
    lost: mine.filter((id) => !there.has(id)).length,
    // By text: under another id it would be shown twice as well.
    doubled: arrived.length - new Set(received.filter(({ direction }) => direction === 'in').map(({ text }) => text)).size,
    misordered: known.filter((place, at) => at > 0 && place < (known[at - 1] ?? 0)).length,
    unknown: arrived.filter((id) => !order.has(id)).length,
  }
}

export function addCounts(figures: PairCounts, more: PairCounts): void {
  for (const name of ['delivered', 'lost', 'doubled', 'misordered', 'unknown'] as const) figures[name] += more[name]
}
