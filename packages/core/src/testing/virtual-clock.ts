import type { Clock } from '../ports/clock.ts'

interface Sleeper {
  readonly at: number
  readonly order: number
  wake(elapsed: boolean): void
}

/** A clock that moves only when told to; sleepers wake in order of their time. */
export class VirtualClock implements Clock {
  private elapsed = 0
  private offset: number
  private sleepers: Sleeper[] = []
  private count = 0

  /** @param start wall time at the beginning, milliseconds since 1970 */
  constructor(start = 1_800_000_000_000) {
    this.offset = start
  }

  now(): number {
    return Math.floor(this.offset + this.elapsed)
  }

  monotonic(): number {
    return this.elapsed
  }

  /** Sets the wall clock forward or back by `ms`; monotonic time does not notice. */
  jump(ms: number): void {
    this.offset += ms
  }

  sleep(ms: number, options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    if (options.signal?.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const sleeper: Sleeper = { at: this.elapsed + Math.max(0, ms), order: this.count++, wake: resolve }
      this.sleepers.push(sleeper)
      options.signal?.addEventListener(
        'abort',
        () => {
          this.sleepers = this.sleepers.filter((each) => each !== sleeper)
          resolve(false)
        },
        { once: true },
      )
    })
  }

  /** Moves time by `ms`, letting everything that is due happen, each thing settled before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.elapsed + ms
    await settle()
    for (let next = this.next(end); next !== undefined; next = this.next(end)) {
      this.sleepers = this.sleepers.filter((each) => each !== next)
      this.elapsed = next.at
      next.wake(true)
      await settle()
    }
    this.elapsed = end
  }

  /** Milliseconds until somebody wakes; Infinity when nobody sleeps. */
  untilNext(): number {
    return Math.min(...this.sleepers.map(({ at }) => at)) - this.elapsed
  }

  private next(end: number): Sleeper | undefined {
    return this.sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0]
  }
}

/** Lets every promise that can settle now do so. Bounded: work that never ends shows as a test that fails. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve()
}
