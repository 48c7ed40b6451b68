/** How much room of a mailbox that fills those who come from one place may take in a day (MB19). */
import type { Clock } from '../ports/clock.ts'
import type { MailboxLimits } from './rules.ts'
import type { Origin } from './shares.ts'

const MS_PER_DAY = 86_400_000
/** From this share of the room on it counts where mail comes from. */
const COUNTED_FROM = 0.5
/** Of all room, a day: who fills from one address needs the month that mail lies, and hinders nobody meanwhile. */
const ADDRESS_SHARE = 1 / 64
const NETWORK_SHARE = 1 / 32
/** Addresses and networks that are counted; beyond that the oldest are forgotten. */
const MAX_COUNTED = 65_536

export class DailyRoom {
  private readonly clock: Clock
  private readonly limits: MailboxLimits
  private readonly taken = new Map<string, number>()
  private day = 0

  constructor(clock: Clock, limits: MailboxLimits) {
    this.clock = clock
    this.limits = limits
  }

  /** Whether an origin may take so many bytes more today, with `totalBytes` taken by all. */
  allows(origin: Origin, bytes: number, totalBytes: number): boolean {
    if (totalBytes < this.limits.maxBytes * COUNTED_FROM) return true
    this.turn()
    return this.boundsOf(origin).every(([name, bound]) => (this.taken.get(name) ?? 0) + bytes <= bound)
  }

  /** Counts what an origin has taken. */
  take(origin: Origin, bytes: number): void {
    this.turn()
    for (const [name] of this.boundsOf(origin)) {
      const sum = (this.taken.get(name) ?? 0) + bytes
      this.taken.delete(name)
      this.taken.set(name, sum)
    }
    for (const [oldest] of this.taken) {
      if (this.taken.size <= MAX_COUNTED) return
      this.taken.delete(oldest)
    }
  }

  private boundsOf({ address, network }: Origin): readonly (readonly [string, number])[] {
    const ofAddress = address === undefined ? [] : [[`a ${address}`, this.limits.maxBytes * ADDRESS_SHARE] as const]
    const ofNetwork = network === undefined ? [] : [[`n ${network}`, this.limits.maxBytes * NETWORK_SHARE] as const]
    return [...ofAddress, ...ofNetwork]
  }

  /** A new day begins with nothing taken. */
  private turn(): void {
    const today = Math.floor(this.clock.now() / MS_PER_DAY)
    if (today === this.day) return
    this.day = today
    this.taken.clear()
  }
}
