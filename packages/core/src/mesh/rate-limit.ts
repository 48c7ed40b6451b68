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

  /** How much has been taken and is not made up for. */
  taken(now: number): number {
    return this.rate.burst - this.levelAt(now)
  }

  /** Whether it is as if nothing had ever been taken. */
  isFull(now: number): boolean {
    return this.taken(now) <= 0
  }

  private levelAt(now: number): number {
    return Math.min(this.rate.burst, this.level + (Math.max(0, now - this.at) / 1_000) * this.rate.perSecond)
  }
}

/** Names remembered at once; the first ones are forgotten. */
const MAX_NAMES = 1_024

/** A bucket for each name, as long as it is not full: whoever goes and comes again finds what it has left. */
export class NamedRates {
  private readonly rate: Rate
  private readonly limits = new Map<string, RateLimit>()

  constructor(rate: Rate) {
    this.rate = rate
  }

  of(name: string, now: number): RateLimit {
    const known = this.limits.get(name)
    if (known !== undefined) return known
    for (const [each, limit] of this.limits) if (limit.isFull(now) || this.limits.size >= MAX_NAMES) this.limits.delete(each)
    const fresh = new RateLimit(this.rate, now)
    this.limits.set(name, fresh)
    return fresh
  }
}
