import type { Random } from '../../ports/index.ts'
import type { RouteForwardFields } from '../../wire/mesh-route.ts'
import type { LinkId } from '../neighbour.ts'

/** How long a flood waits before it is passed on, in milliseconds, by how many neighbours share the air at most (ME45; bitchat's). */
const WAITS = [
  { neighbours: 2, least: 10, most: 40 },
  { neighbours: 5, least: 60, most: 150 },
  { neighbours: 9, least: 80, most: 180 },
  { neighbours: Infinity, least: 100, most: 220 },
] as const
/** Floods that wait at once (ME45). */
const MAX_WAITING = 256

interface Waiting {
  readonly frame: RouteForwardFields
  readonly links: Set<LinkId>
  readonly dueAt: number
}

/** Floods that are to go over radio: whoever is a little later than others keeps still where they have spoken already. */
export class SharedAir {
  private readonly waiting = new Map<string, Waiting>()

  get isWaiting(): boolean {
    return this.waiting.size > 0
  }

  /** @returns whether it waits; else it goes at once */
  wait(frame: RouteForwardFields, links: readonly LinkId[], { now, random }: { now: number; random: Random }): boolean {
    if (this.waiting.size >= MAX_WAITING) return false
    const { least, most } = WAITS.find(({ neighbours }) => links.length <= neighbours) ?? WAITS[0]
    this.waiting.set(frame.key, { frame, links: new Set(links), dueAt: now + least + random.uniform() * (most - least) })
    return true
  }

  /** A neighbour has it: it has named it, or brought it. */
  heard(key: string, link: LinkId): void {
    this.waiting.get(key)?.links.delete(link)
  }

  /** A link is gone. */
  drop(link: LinkId): void {
    for (const { links } of this.waiting.values()) links.delete(link)
  }

  /** What goes now, and where nobody has spoken meanwhile. */
  due(now: number): readonly Waiting[] {
    const due = [...this.waiting.values()].filter(({ dueAt }) => dueAt <= now)
    for (const { frame } of due) this.waiting.delete(frame.key)
    return due
  }
}
