/**
 * Bulk goes round: one flow after the other may go on, a little in each turn of the event loop, so that what is short gets
 * its chance in between. Without it one turn would move megabytes of each sender before anybody else is heard. And while
 * there is chat, bulk leaves it half of the time: a loop that is always busy makes everybody wait for a whole turn at each
 * step, and the processor is not the relay's alone.
 */

/** Of all bulk in one turn: a tenth of a millisecond's work for what is joined, somewhat more for circuits. */
const TURN_BYTES = 262_144
/** So long after the last chat bulk still leaves it room, ms: people answer each other. */
const CHAT_LASTS_MS = 500
/** Longest pause between two turns, ms. */
const LONGEST_PAUSE_MS = 20

export interface TurnTimes {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Calls when the event loop has gone round once. */
  readonly soon: (go: () => void) => void
  readonly later: (go: () => void, ms: number) => void
}

const REAL: TurnTimes = {
  now: () => performance.now(),
  soon: (go) => void setImmediate(go),
  later: (go, ms) => void setTimeout(go, ms),
}

export class Turns {
  readonly #times: TurnTimes
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = []
  #isDue = false
  #chatAt = Number.NEGATIVE_INFINITY

  constructor(times = REAL) {
    this.#times = times
  }

  /** Chat has passed. */
  noteChat(): void {
    this.#chatAt = this.#times.now()
  }

  /** Calls `go` when its turn has come; later, and in the order of asking. @param bytes that will pass in this turn */
  wait(bytes: number, go: () => void): void {
    this.#waiting.push({ bytes, go })
    if (this.#isDue) return
    this.#isDue = true
    this.#times.soon(() => this.#turn())
  }

  #turn(): void {
    const startedAt = this.#times.now()
    let room = TURN_BYTES
    do {
      const next = this.#waiting.shift()
      room -= next?.bytes ?? 0
      next?.go()
    } while (room > 0 && (this.#waiting[0]?.bytes ?? Number.POSITIVE_INFINITY) <= room)
    // What has been let go is read and written by the event loop, before this comes.
    this.#times.soon(() => this.#after(startedAt))
  }

  #after(startedAt: number): void {
    if (this.#waiting.length === 0) {
      this.#isDue = false
      return
    }
    const now = this.#times.now()
    if (now - this.#chatAt > CHAT_LASTS_MS) this.#turn()
    else this.#times.later(() => this.#turn(), Math.min(LONGEST_PAUSE_MS, now - startedAt))
  }
}
