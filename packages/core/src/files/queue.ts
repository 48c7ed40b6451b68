/** Transfers that wait for their turn (FI22): who is which, told as it changes. */
import type { Clock } from '../ports/clock.ts'
import { MAX_FETCHING, MAX_PLACES_TOLD } from './limits.ts'
import type { Live, TransferBook } from './transfer-book.ts'
import { Turns } from './turns.ts'

export interface QueueDeps {
  readonly clock: Pick<Clock, 'sleep'>
  readonly transfers: Pick<TransferBook, 'queue'>
  isWanted(live: Live): boolean
  /** It has stood still, and lost its turn. */
  onStill(live: Live): void
}

export class Queue {
  private readonly deps: QueueDeps
  private readonly turns: Turns
  /** In the order of their turns. */
  private readonly waiting = new Set<Live>()

  constructor(deps: QueueDeps) {
    this.deps = deps
    this.turns = new Turns(MAX_FETCHING, deps.clock)
  }

  /** `undefined` when it is not wanted any more when its turn comes. */
  take<T>(live: Live, work: () => Promise<T>): Promise<T | undefined> {
    const { isWanted, onStill } = this.deps
    if (this.turns.areTaken) this.waiting.add(live)
    this.look()
    return this.turns.take({ moved: () => live.stored.moved, onStill: () => onStill(live) }, async () => {
      this.waiting.delete(live)
      this.deps.transfers.queue(live, null)
      this.look()
      return isWanted(live) ? work() : undefined
    })
  }

  /** Some of them may not be wanted any more, and stand in nobody's way. */
  look(): void {
    const wanted = [...this.waiting].filter((live) => this.deps.isWanted(live))
    for (const live of this.waiting) if (!wanted.includes(live)) this.deps.transfers.queue(live, null)
    for (const [before, live] of wanted.entries()) this.deps.transfers.queue(live, Math.min(before + 1, MAX_PLACES_TOLD))
  }

  /** It is wanted again, and has kept its turn. */
  back(live: Live): void {
    if (this.waiting.has(live) && live.queue === null) this.look()
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.turns.stop()
  }
}
