/** How often something is done at somebody else's word, for each of whom it concerns. */
import type { Clock } from '@skein/core'

export interface AllowanceLimits {
  /** Times within `withinMs`. */
  readonly most: number
  readonly withinMs: number
}

export class Allowance {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly limits: AllowanceLimits
  /** When, by whom it concerns; the oldest first. */
  private readonly taken = new Map<string, number[]>()

  constructor(clock: Pick<Clock, 'monotonic'>, limits: AllowanceLimits) {
    this.clock = clock
    this.limits = limits
  }

  /** Whether it may be done once more now. */
  has(whom: string): boolean {
    this.forget(this.clock.monotonic())
    return (this.taken.get(whom)?.length ?? 0) < this.limits.most
  }

  /** Whether it may be done once more now; then it counts. */
  take(whom: string): boolean {
    if (!this.has(whom)) return false
    this.taken.set(whom, [...(this.taken.get(whom) ?? []), this.clock.monotonic()])
    return true
  }

  private forget(now: number): void {
    for (const [whom, times] of this.taken) {
      const recent = times.filter((at) => now - at < this.limits.withinMs)
      if (recent.length === 0) this.taken.delete(whom)
      else this.taken.set(whom, recent)
    }
  }
}
