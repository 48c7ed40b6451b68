/** Fetches that wait for something to come under one of their tags. */
import type { Clock } from '../ports/clock.ts'

export interface Wait {
  /** Resolves when something has come since the wait began, or after `ms`. */
  until(ms: number): Promise<void>
  /** It need not wait any longer. */
  cut(): void
  end(): void
}

export class Waiters {
  private readonly clock: Clock
  private readonly waiting = new Map<string, Set<AbortController>>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Something lies under a tag that did not before. */
  arrived(tag: string): void {
    for (const each of this.waiting.get(tag) ?? []) each.abort()
  }

  /** From now on arrivals count, so that none falls between a look and the wait behind it. */
  begin(tags: Iterable<string>): Wait {
    const came = new AbortController()
    const watched = [...tags]
    for (const tag of watched) this.waiting.set(tag, (this.waiting.get(tag) ?? new Set()).add(came))
    return {
      until: async (ms) => void (await this.clock.sleep(ms, { signal: came.signal })),
      cut: () => came.abort(),
      end: () => {
        for (const tag of watched) this.leave(tag, came)
        came.abort()
      },
    }
  }

  private leave(tag: string, came: AbortController): void {
    const those = this.waiting.get(tag)
    those?.delete(came)
    if (those?.size === 0) this.waiting.delete(tag)
  }
}
