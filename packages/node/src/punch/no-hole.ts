/** What is said of a punch that was tried to its end. */
export interface Tried {
  /** Whether the router here turns packets round; `null` where that is not known. */
  readonly turnsRound: boolean | null
  /** Where this side is seen, and where the other one is. */
  readonly own: readonly string[]
  readonly theirs: readonly string[]
}

/** A router that does not turn packets round is no reason by itself: what it was asked with may have been lost. */
export function noHole({ turnsRound, own, theirs }: Tried): Error {
  const isOneRouter = theirs.length > 0 && theirs.every((each) => own.includes(each))
  return new Error(
    isOneRouter && turnsRound === false ? 'both are behind one router that does not turn packets round' : 'no hole was found',
  )
}
