/** What becomes of a transfer when the message that offers it is over (FI47). */
import type { StoredMessage, StoredTransfer } from '../ports/store.ts'

export interface End extends Pick<StoredTransfer, 'state' | 'reason'> {
  /** The other side knows. */
  readonly told?: boolean
}

/** How a transfer ends with the message that offers it; not at all where somebody has heard of that, and fetches it. */
export function endOf({ deletedAt, direction, state, reason }: StoredMessage, { moved }: StoredTransfer): End | undefined {
  // Its sender knows.
  if (deletedAt !== null) return { state: 'cancelled', reason: 'taken-back', ...(direction === 'in' ? { told: true } : {}) }
  if (direction === 'in' || state !== 'failed' || moved > 0) return undefined
  return reason === 'cancelled' ? { state: 'cancelled', reason: null } : { state: 'failed', reason: 'expired' }
}
