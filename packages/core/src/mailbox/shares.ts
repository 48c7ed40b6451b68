/** How much of something those who come from one place may have together (MB14). */

import type { Clock } from '../ports/clock.ts'

/** Where a stream comes from: names under which it is counted. What they stand for is the business of who gives them. */
export interface Origin {
  readonly connection: string
  /** An IP address; none where there is no such thing. */
  readonly address?: string | undefined
  /** The network that the address belongs to. */
  readonly network?: string | undefined
}

export interface ShareBounds {
  readonly connection: number
  readonly address: number
  readonly network: number
  readonly total: number
}

export class Shares {
  private readonly held = new Map<string, number>()
  private readonly bounds: () => ShareBounds
  private sum = 0

  /** @param bounds asked each time, as they may change */
  constructor(bounds: () => ShareBounds) {
    this.bounds = bounds
  }

  get total(): number {
    return this.sum
  }

  /** Takes all of it or nothing. */
  take(origin: Origin, amount: number): boolean {
    const bounds = this.bounds()
    const fits = namesOf(origin, bounds).every(([name, bound]) => (this.held.get(name) ?? 0) + amount <= bound)
    if (!fits || this.sum + amount > bounds.total) return false
    this.change(origin, amount)
    return true
  }

  /** Gives back what was taken. */
  give(origin: Origin, amount: number): void {
    this.change(origin, -amount)
  }

  private change(origin: Origin, amount: number): void {
    this.sum += amount
    for (const [name] of namesOf(origin, this.bounds())) {
      const count = (this.held.get(name) ?? 0) + amount
      if (count > 0) this.held.set(name, count)
      else this.held.delete(name)
    }
  }
}

function namesOf({ connection, address, network }: Origin, bounds: ShareBounds): (readonly [string, number])[] {
  const names: [string, number][] = [[`c ${connection}`, bounds.connection]]
  if (address !== undefined) names.push([`a ${address}`, bounds.address])
  if (network !== undefined) names.push([`n ${network}`, bounds.network])
  return names
}

/** Those who wait and are looked at when something is given back; the others come after them. */
const WOKEN_AT_ONCE = 16

/** How long one waits for a share, milliseconds. */
const WAIT_MS = 10_000

/** Shares for which one may wait. */
export class AwaitedShares {
  private readonly shares: Shares
  private readonly clock: Clock
  private readonly waiting = new Set<() => void>()

  constructor(clock: Clock, bounds: () => ShareBounds) {
    this.clock = clock
    this.shares = new Shares(bounds)
  }

  get total(): number {
    return this.shares.total
  }

  /** Resolves when it has been taken, or to `false` when others have had it for too long. */
  async take(origin: Origin, amount: number): Promise<boolean> {
    return this.shares.take(origin, amount) || this.takeLater(origin, amount)
  }

  private async takeLater(origin: Origin, amount: number): Promise<boolean> {
    const until = this.clock.monotonic() + WAIT_MS
    let isTaken = false
    for (let left = WAIT_MS; left > 0 && !isTaken; left = until - this.clock.monotonic()) {
      const given = new AbortController()
      const wake = (): void => given.abort()
      this.waiting.add(wake)
      await this.clock.sleep(left, { signal: given.signal })
      this.waiting.delete(wake)
      isTaken = this.shares.take(origin, amount)
    }
    return isTaken
  }

  give(origin: Origin, amount: number): void {
    this.shares.give(origin, amount)
    let woken = 0
    for (const wake of this.waiting) {
      if (woken++ === WOKEN_AT_ONCE) return
      this.waiting.delete(wake)
      wake()
    }
  }
}
