/** Which streams watch which tags. A tag is held once for each stream that watches it, however many fetches wait there. */
import type { Clock } from '../ports/clock.ts'

/** What one stream watches. */
export class Watch {
  readonly tags: string[] = []
  private readonly clock: Clock
  /** Rises with each arrival, so that none falls between a look and the wait behind it. */
  private arrivals = 0
  private waiting: AbortController | undefined
  /** Its stream has ended: nothing is watched any more. */
  isOver = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** To be given to `wait`: what comes after it ends that wait. */
  get now(): number {
    return this.arrivals
  }

  /** Something has come, or whoever waits is not to wait any longer. */
  wake(): void {
    this.arrivals += 1
    this.waiting?.abort()
  }

  /** Resolves when something has come since `from`, or after `ms`. One wait at a time. */
  async wait(from: number, ms: number): Promise<void> {
    if (this.arrivals !== from) return
    this.waiting = new AbortController()
    await this.clock.sleep(ms, { signal: this.waiting.signal })
    this.waiting = undefined
  }
}

export class Watches {
  /** Nearly every tag is watched by one stream: only others have a set. */
  private readonly watching = new Map<string, Watch | Set<Watch>>()

  /** Something lies under a tag that did not before. */
  arrived(tag: string): void {
    const those = this.watching.get(tag)
    if (those instanceof Watch) those.wake()
    else for (const each of those ?? []) each.wake()
  }

  isWatching(watch: Watch, tag: string): boolean {
    const those = this.watching.get(tag)
    return those === watch || (those instanceof Set && those.has(watch))
  }

  /** For a tag that this watch does not have yet. */
  add(watch: Watch, tag: string): void {
    const those = this.watching.get(tag)
    watch.tags.push(tag)
    if (those === undefined) this.watching.set(tag, watch)
    else if (those instanceof Set) those.add(watch)
    else this.watching.set(tag, new Set([those, watch]))
  }

  /** The stream has ended. */
  end(watch: Watch): void {
    watch.isOver = true
    for (const tag of watch.tags.splice(0)) this.leave(watch, tag)
    watch.wake()
  }

  private leave(watch: Watch, tag: string): void {
    const those = this.watching.get(tag)
    if (those instanceof Set) those.delete(watch)
    if (those === watch || (those instanceof Set && those.size === 0)) this.watching.delete(tag)
  }
}
