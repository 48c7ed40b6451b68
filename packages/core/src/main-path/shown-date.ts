/** A date farther ahead than this is no date of somebody whose clock is wrong (DL8). Milliseconds. */
const MOST_AHEAD_MS = 86_400_000

/**
 * The date under which a message is shown: what its sender says, or our own where that lies in the future: it is a claim, and no
 * screen has to cope with the year 287396.
 * @param createdAt milliseconds since 1970, by the sender's clock
 */
export function shownDate(createdAt: number, now: number): number {
  return createdAt > now + MOST_AHEAD_MS ? now : createdAt
}
