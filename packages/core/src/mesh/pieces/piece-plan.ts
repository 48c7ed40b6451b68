/** How many pieces, and how many of them are needed: from what was measured, and never worse than plain copies. */
import { PIECE_CHECK_BYTES } from '../../wire/mesh-piece.ts'
import { TRANSFORM_BYTES } from './all-or-nothing.ts'

/** Pieces of one bundle at most (ME23). */
export const MAX_PIECES = 32

export interface PieceWish {
  /** Share of what goes over one path that arrives, 0 to 1, as measured. */
  readonly survival: number
  /** Disjoint ways, one for each piece. */
  readonly paths: number
  /** Bytes that may be spent, in lengths of the content: 3 is what three copies cost. */
  readonly budget: number
  /** Length of the content; without it what surrounds it and each piece does not count. */
  readonly bytes?: number
}

/** Around a content that goes whole, in bytes: its bundle and the frame that takes it on. */
const FRAMING_BYTES = 96
/** Around each piece, beside the checks of all of them. */
const PIECE_FRAMING_BYTES = FRAMING_BYTES + 16

export interface PiecePlan {
  readonly k: number
  readonly n: number
  /** Chance that enough arrives. */
  readonly arrival: number
  /** `one-path`: there is nothing to spread over; it goes as it is, and whoever is on that path sees the whole. */
  readonly kind: 'pieces' | 'copies' | 'one-path'
}

/** The plan with the best chance of arrival; of equal ones that which needs more pieces, for fewer of them tell nothing. */
export function planPieces({ survival, paths, budget, bytes = Infinity }: PieceWish): PiecePlan {
  const most = Math.min(MAX_PIECES, Math.max(1, Math.floor(paths)))
  if (most === 1) return { k: 1, n: 1, arrival: survival, kind: 'one-path' }
  let best: PiecePlan = { k: 1, n: 1, arrival: survival, kind: 'copies' }
  for (let k = 1; k <= most; k += 1) {
    const n = affordable(k, { most, budget, bytes })
    if (n < k) continue
    const arrival = chanceOf(k, n, survival)
    if (arrival >= best.arrival) best = { k, n, arrival, kind: k === 1 ? 'copies' : 'pieces' }
  }
  return best
}

export interface CarriedPlan extends PiecePlan {
  /** Copies that carriers may make of each piece, or of the whole. */
  readonly copies: number
}

/**
 * As `planPieces` where carriers make copies: every piece starts with a neighbour of its own, and `budget` counts copies of
 * the whole. A piece is lost when all its copies are.
 */
export function planCarried({ survival, paths, budget, bytes = Infinity }: PieceWish): CarriedPlan {
  const most = Math.min(MAX_PIECES, Math.max(1, Math.floor(paths)))
  const whole = { k: 1, n: 1, copies: budget, arrival: 1 - (1 - survival) ** budget }
  let best: CarriedPlan = { ...whole, kind: most === 1 ? 'one-path' : 'copies' }
  for (let n = 2; n <= most; n += 1)
    for (let k = 2; k <= n; k += 1) {
      const copies = Math.floor(budget / (n * shareOf(k, n, bytes)))
      const arrival = copies < 1 ? 0 : chanceOf(k, n, 1 - (1 - survival) ** copies)
      if (arrival >= best.arrival) best = { k, n, copies, arrival, kind: 'pieces' }
    }
  return best
}

/** What a piece costs, compared with the whole. */
function shareOf(k: number, n: number, bytes: number): number {
  if (bytes === Infinity) return 1 / k
  return (Math.ceil((bytes + TRANSFORM_BYTES) / k) + n * PIECE_CHECK_BYTES + PIECE_FRAMING_BYTES) / (bytes + FRAMING_BYTES)
}

function affordable(
  k: number,
  { most, budget, bytes }: { readonly most: number; readonly budget: number; readonly bytes: number },
): number {
  if (k === 1) return Math.min(most, Math.floor(budget))
  for (let n = most; n >= k; n -= 1) if (n * shareOf(k, n, bytes) <= budget + Number.EPSILON * n) return n
  return 0
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
