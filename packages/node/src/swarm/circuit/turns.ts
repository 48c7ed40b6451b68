/**
 * Bulk goes round: one sender after the other may go on with one of its flows, a little in each turn of the event loop, so
 * that what is short gets its chance in between, and whoever has many flows no more turns than others. Without it one turn
 * would move megabytes of each sender before anybody else is heard. And while
 * there is chat, bulk leaves it half of the time: a loop that is always busy makes everybody wait for a whole turn at each
 * step, and the processor is not the relay's alone.
 */

/** Of all bulk in one turn: a tenth of a millisecond's work for what is joined, somewhat more for circuits. */
const TURN_BYTES = 262_144
/** Of one flow in its turn where others wait for theirs: one read of a socket. */
export const SHARE_BYTES = 65_536
/** So long after the last chat bulk still leaves it room, ms: people answer each other. */
const CHAT_LASTS_MS = 500
/** Longest pause between two turns, ms. */
const LONGEST_PAUSE_MS = 20

export interface TurnTimes {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Calls when the event loop has gone round once. */
  readonly soon: (go: () => void) => void
  /** @returns ends the wait */
  readonly later: (go: () => void, ms: number) => () => void
}

interface Asking {
  readonly bytes: number
  readonly go: () => void
}

interface Rest {
  readonly go: () => void
  readonly end: () => void
}

const REAL: TurnTimes = {
  now: () => performance.now(),
  soon: (go) => void setImmediate(go),
  later: (go, ms) => {
    const timer = setTimeout(go, ms)
    return () => clearTimeout(timer)
  },
}

export class Turns {
  readonly #times: TurnTimes
  /** By sender; whose turn it is first. */
  readonly #waiting = new Map<string, Asking[]>()
  readonly #resting = new Set<Rest>()
  /** Who is held up, whatever for; the longest first. */
  readonly #held = new Set<{ readonly since: number }>()
  #isDue = false
  /** In the last turn there was but one. */
  #isAlone = false
  #chatAt = Number.NEGATIVE_INFINITY

  constructor(times = REAL) {
    this.#times = times
  }

  /** Chat has passed. */
  noteChat(): void {
    this.#chatAt = this.#times.now()
  }

  /** A flow is held up from now on. @returns to be called once when it goes on or ends, with the ms that it has taken */
  hold(): () => number {
    const held = { since: this.#times.now() }
    this.#held.add(held)
    return () => {
      this.#held.delete(held)
      return this.#times.now() - held.since
    }
  }

  /** For how long the flow that has been held up longest has, ms; 0 for none. */
  get oldestHoldMs(): number {
    const [oldest] = this.#held
    return oldest === undefined ? 0 : this.#times.now() - oldest.since
  }

  /** What a flow may pass in its turn, bytes, before it waits for the next one: the same for all, and all of it for one alone. */
  get share(): number {
    return this.#isAlone && this.#waiting.size === 0 ? TURN_BYTES : SHARE_BYTES
  }

  /** Calls `go` when the turn of its sender has come; later, and of one sender in the order of asking. @param bytes that will pass in this turn */
  wait(sender: string, bytes: number, go: () => void): void {
    const flows = this.#waiting.get(sender)
    if (flows === undefined) this.#waiting.set(sender, [{ bytes, go }])
    else flows.push({ bytes, go })
    if (this.#isDue) return
    this.#isDue = true
    this.#times.soon(() => this.#turn())
  }

  /** Calls `go` after so long, or when all are woken. @returns ends the wait */
  rest(ms: number, go: () => void): () => void {
    const rest: Rest = { go, end: this.#times.later(() => this.#resting.delete(rest) && go(), ms) }
    this.#resting.add(rest)
    return () => {
      if (this.#resting.delete(rest)) rest.end()
    }
  }

  /** Whoever waits for a rate goes on: it is another one now, and says anew for how long. */
  wake(): void {
    const woken = [...this.#resting]
    this.#resting.clear()
    for (const { end, go } of woken) {
      end()
      go()
    }
  }

  #turn(): void {
    const startedAt = this.#times.now()
    let room = TURN_BYTES
    let next = this.#next(Number.POSITIVE_INFINITY)
    this.#isAlone = this.#waiting.size === 0
    try {
      for (; next !== undefined; next = this.#next(room)) {
        room -= next.bytes
        next.go()
      }
    } finally {
      // What has been let go is read and written by the event loop, before this comes.
      this.#times.soon(() => this.#after(startedAt))
    }
  }

  /** Of the sender whose turn it is, if there is room for it; its other flows come when all other senders had theirs. */
  #next(room: number): Asking | undefined {
    const [sender, flows] = this.#waiting.entries().next().value ?? []
    const [next, ...others] = flows ?? []
    if (sender === undefined || next === undefined || next.bytes > room) return undefined
    this.#waiting.delete(sender)
    if (others.length > 0) this.#waiting.set(sender, others)
    return next
  }

  #after(startedAt: number): void {
    if (this.#waiting.size === 0) {
      this.#isDue = false
      return
    }
    const now = this.#times.now()
    if (now - this.#chatAt > CHAT_LASTS_MS) this.#turn()
    else this.#times.later(() => this.#turn(), Math.min(LONGEST_PAUSE_MS, now - startedAt))
  }
}
