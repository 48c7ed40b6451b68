/** The time of day may be wrong for a while: what is deleted for good goes by what has surely passed. */

/** For so long a clock has to have said something, ms of running: one that a machine started with is set right by then. */
const SETTLED_AFTER_MS = 3_600_000

export interface Clocks {
  /** Milliseconds since 1970. */
  now(): number
  monotonic(): number
}

interface Offset {
  readonly at: number
  /** Of the time of day over the monotonic one, ms. */
  readonly ms: number
}

export class SettledTime {
  readonly #clocks: Clocks
  readonly #began: number
  /** Of the last hour those that are smaller than all after them: the first is the smallest of all. */
  readonly #offsets: Offset[] = []
  #last: number

  constructor(clocks: Clocks) {
    this.#clocks = clocks
    this.#began = clocks.monotonic()
    this.#last = this.#note()
  }

  /** To be called every few seconds. @returns by how much the clock has been set since the call before, ms */
  look(): number {
    const ms = this.#note()
    const jump = ms - this.#last
    this.#last = ms
    return jump
  }

  /** The time of day, as early as it has been by any clock of the last hour; in the first hour nothing has passed. */
  past(): number {
    this.#note()
    const at = this.#clocks.monotonic()
    const [earliest] = this.#offsets
    return earliest === undefined || at - this.#began < SETTLED_AFTER_MS ? 0 : at + earliest.ms
  }

  #note(): number {
    const at = this.#clocks.monotonic()
    const ms = this.#clocks.now() - at
    while ((this.#offsets.at(-1)?.ms ?? Number.NEGATIVE_INFINITY) >= ms) this.#offsets.pop()
    this.#offsets.push({ at, ms })
    while ((this.#offsets[0]?.at ?? at) < at - SETTLED_AFTER_MS) this.#offsets.shift()
    return ms
  }
}
