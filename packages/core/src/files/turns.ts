/** So many at once; others wait, in order (FI22). */
import type { Clock } from '../ports/clock.ts'
import { QUIET_MS } from './limits.ts'

/** So often it is looked whether one stands still before it has for so long. */
const LOOKS = 6

interface Moving {
  /** Bytes so far. */
  moved(): number
  /** It has lost its turn. */
  onStill(): void
}

export class Turns {
  private readonly most: number
  private readonly clock: Pick<Clock, 'sleep'>
  private readonly queue: (() => void)[] = []
  private busy = 0

  constructor(most: number, clock: Pick<Clock, 'sleep'>) {
    this.most = most
    this.clock = clock
  }

  /** Who comes now has to wait. */
  get areTaken(): boolean {
    return this.busy >= this.most
  }

  /** Who stands still for QUIET_MS goes on, and keeps nobody else waiting. */
  async take<T>({ moved, onStill }: Moving, work: () => Promise<T>): Promise<T> {
    if (this.areTaken) await new Promise<void>((resolve) => this.queue.push(resolve))
    else this.busy += 1
    const over = new AbortController()
    const watching = this.watch(moved, over.signal).then((isStill) => {
      if (isStill) onStill()
      this.leave()
    })
    try {
      return await work()
    } finally {
      over.abort()
      await watching
    }
  }

  /** Whoever has waited is given the place: it is never free for somebody who comes just then. */
  private leave(): void {
    const next = this.queue.shift()
    if (next === undefined) this.busy -= 1
    else next()
  }

  /** Until it has ended, or stands still. @returns whether it stands still */
  private async watch(moved: () => number, signal: AbortSignal): Promise<boolean> {
    let before = moved()
    for (let quiet = 0; quiet < LOOKS; quiet = moved() === before ? quiet + 1 : 0) {
      before = moved()
      if (!(await this.clock.sleep(QUIET_MS / LOOKS, { signal }))) return false
    }
    return true
  }

  /** Nobody waits any longer. */
  stop(): void {
    const waiting = this.queue.splice(0)
    this.busy += waiting.length
    for (const go of waiting) go()
  }
}
