import type { NeighbourSession } from './neighbour-session.ts'

/** Neighbours at once (ME20). */
export const MAX_NEIGHBOURS = 32
/** Whoever has brought nothing new for so long, in milliseconds, makes way for somebody else (ME44). */
export const IDLE_MS = 600_000

export interface PlaceDeps {
  /** Whether a peer is a device of a contact. */
  isContact(peer: string): boolean
  /** Monotonic milliseconds. */
  readonly now: number
}

/**
 * Whether there is a place for a peer. When all are taken, whoever is no contact and was of no use for longest goes: for a
 * contact always, for somebody else only if that is long ago. So nobody who came first, many as they are, keeps all others out.
 */
export function makePlace(peer: string, sessions: readonly NeighbourSession[], { isContact, now }: PlaceDeps): boolean {
  // One that was told to go may take a moment, and makes way once.
  const open = sessions.filter(({ isClosed }) => !isClosed)
  if (open.length < MAX_NEIGHBOURS) return true
  const [idle] = open.filter((each) => !isContact(each.peer)).sort((one, other) => one.usefulAt - other.usefulAt)
  if (idle === undefined || !(isContact(peer) || now - idle.usefulAt >= IDLE_MS)) return false
  idle.close()
  return true
}
