export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

/** A token bucket on a monotonic clock. */
export class RateLimit {
  private readonly rate: Rate
  private level: number
  private at: number

  /** @param now monotonic milliseconds */
  constructor(rate: Rate, now: number) {
    this.rate = rate
    this.level = rate.burst
    this.at = now
  }

  /** Whether so much is within the rate; then it is taken. */
  takes(amount: number, now: number): boolean {
    this.level = Math.min(this.rate.burst, this.level + ((now - this.at) / 1_000) * this.rate.perSecond)
    this.at = now
    if (this.level < amount) return false
    this.level -= amount
    return true
  }

  /** Milliseconds until so much will be within the rate. */
  wait(amount: number, now: number): number {
    const level = Math.min(this.rate.burst, this.level + ((now - this.at) / 1_000) * this.rate.perSecond)
    return Math.max(0, ((Math.min(amount, this.rate.burst) - level) / this.rate.perSecond) * 1_000)
  }
}
