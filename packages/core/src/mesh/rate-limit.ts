export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

/** A token bucket; a clock that is set back adds nothing. */
export class RateLimit {
  private readonly rate: Rate
  private level: number
  private at: number

  /** @param now milliseconds, of the same clock as later */
  constructor(rate: Rate, now: number) {
    this.rate = rate
    this.level = rate.burst
    this.at = now
  }

  /** Whether so much is within the rate; then it is taken. */
  takes(amount: number, now: number): boolean {
    this.level = this.levelAt(now)
    this.at = now
    if (this.level < amount) return false
    this.level -= amount
    return true
  }

  /** Milliseconds until so much will be within the rate. */
  wait(amount: number, now: number): number {
    return Math.max(0, ((Math.min(amount, this.rate.burst) - this.levelAt(now)) / this.rate.perSecond) * 1_000)
  }

  private levelAt(now: number): number {
    return Math.min(this.rate.burst, this.level + (Math.max(0, now - this.at) / 1_000) * this.rate.perSecond)
  }
}
