/** How many of the copies that are left to carriers arrive, as this node has seen it. */

/** What is assumed before anything was seen, and how many messages it counts for: pieces and copies are compared at 0.7 in the literature. */
const PRIOR = { survival: 0.7, messages: 10 } as const
/** Messages that are watched at once; the first ones are forgotten first. */
const MAX_WATCHED = 4_096

export class Survival {
  /** Neighbours that have taken a copy, by lock. */
  private readonly watched = new Map<string, number>()
  private expected = PRIOR.survival * PRIOR.messages
  private counted: number = PRIOR.messages

  /** A neighbour has taken a copy of something made here. */
  taken(lock: string): void {
    const before = this.watched.get(lock) ?? 0
    this.watched.delete(lock)
    this.watched.set(lock, before + 1)
    const [first] = this.watched.keys()
    if (this.watched.size > MAX_WATCHED && first !== undefined) this.watched.delete(first)
  }

  /** It is known what has become of it: of several copies one was enough, or all were lost. */
  settled(lock: string, hasArrived: boolean): void {
    const copies = this.watched.get(lock)
    if (copies === undefined) return
    this.watched.delete(lock)
    this.counted += copies
    if (hasArrived) this.expected += Math.max(1, copies * this.share)
  }

  /** Share of copies that arrive, 0 to 1. */
  get share(): number {
    return Math.min(1, this.expected / this.counted)
  }
}
