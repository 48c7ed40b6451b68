/** What was lost, doubled or out of order on the way from one to another, by both histories and message id alone. */
export interface PairCounts {
  delivered: number
  lost: number
  doubled: number
  misordered: number
}

export interface CountedLine {
  readonly id: string
  readonly direction: 'in' | 'out'
}

/** @param mine ids that were reported as queued @param out history of the sender @param received history of the recipient */
export function countPair(mine: readonly string[], out: readonly CountedLine[], received: readonly CountedLine[]): PairCounts {
  const ids = (lines: readonly CountedLine[], direction: 'in' | 'out'): string[] =>
    lines.filter((each) => each.direction === direction).map(({ id }) => id)
  const [sent, arrived] = [ids(out, 'out'), ids(received, 'in')]
  const there = new Set(arrived)
  const order = new Map(sent.map((id, at) => [id, at]))
  const places = arrived.map((id) => order.get(id) ?? -1)
  return {
    delivered: mine.filter((id) => there.has(id)).length,
    lost: mine.filter((id) => !there.has(id)).length,
    doubled: arrived.length - there.size,
    misordered: places.filter((place, at) => at > 0 && place < (places[at - 1] ?? 0)).length,
  }
}

export function addCounts(figures: PairCounts, more: PairCounts): void {
  for (const name of ['delivered', 'lost', 'doubled', 'misordered'] as const) figures[name] += more[name]
}
