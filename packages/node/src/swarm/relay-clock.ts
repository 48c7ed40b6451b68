/** How the clock of this device stands to that of its relays, by what they say when they are asked for their description. */
import type { Clock } from '@skein/core'

/** Apart from what has passed since, ms: with more, this device's clock was set, or it slept, and what a relay said is of no use. */
const STEADY_MS = 30_000

export class RelayClock {
  private readonly clock: Pick<Clock, 'now' | 'monotonic'>
  private heard: { readonly aheadMs: number; readonly offset: number } | undefined

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.clock = clock
  }

  /** @param date as in the header of an answer that has just come; what is none is ignored */
  note(date: string | null | undefined): void {
    const sentAt = Date.parse(date ?? '')
    if (!Number.isNaN(sentAt)) this.heard = { aheadMs: this.clock.now() - sentAt, offset: this.offset() }
  }

  /** By how much this device's clock is ahead, ms; `null` when nobody has said. */
  aheadMs(): number | null {
    const { heard } = this
    return heard === undefined || Math.abs(this.offset() - heard.offset) > STEADY_MS ? null : heard.aheadMs
  }

  private offset(): number {
    return this.clock.now() - this.clock.monotonic()
  }
}
