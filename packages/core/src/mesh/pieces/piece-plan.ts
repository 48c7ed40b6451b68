/** How many pieces, and how many of them are needed: from what was measured, and never worse than plain copies. */

/** Pieces of one bundle at most (ME23). */
export const MAX_PIECES = 32

export interface PieceWish {
  /** Share of what goes over one path that arrives, 0 to 1, as measured. */
  readonly survival: number
  /** Disjoint ways, one for each piece. */
  readonly paths: number
  /** Bytes that may be spent, in lengths of the content: 3 is what three copies cost. */
  readonly budget: number
}

export interface PiecePlan {
  readonly k: number
  readonly n: number
  /** Chance that enough arrives. */
  readonly arrival: number
  /** `one-path`: there is nothing to spread over; it goes as it is, and whoever is on that path sees the whole. */
  readonly kind: 'pieces' | 'copies' | 'one-path'
}

/** The plan with the best chance of arrival; of equal ones that which needs more pieces, for fewer of them tell nothing. */
export function planPieces({ survival, paths, budget }: PieceWish): PiecePlan {
  const most = Math.min(MAX_PIECES, Math.max(1, Math.floor(paths)))
  if (most === 1) return { k: 1, n: 1, arrival: survival, kind: 'one-path' }
  let best: PiecePlan = { k: 1, n: 1, arrival: survival, kind: 'copies' }
  for (let k = 1; k <= most; k += 1) {
    const n = Math.min(most, Math.floor(k * budget))
    if (n < k) continue
    const arrival = chanceOf(k, n, survival)
    if (arrival >= best.arrival) best = { k, n, arrival, kind: k === 1 ? 'copies' : 'pieces' }
  }
  return best
}

/** Chance that at least k of n arrive, each with chance p by itself. */
export function chanceOf(k: number, n: number, p: number): number {
  let term = (1 - p) ** n
  let below = 0
  for (let arrived = 0; arrived < k; arrived += 1) {
    below += term
    term *= p === 1 ? 0 : ((n - arrived) / (arrived + 1)) * (p / (1 - p))
  }
  return p === 1 ? 1 : Math.min(1, Math.max(0, 1 - below))
}
