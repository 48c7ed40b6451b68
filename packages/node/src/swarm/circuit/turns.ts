/**
 * Bulk goes round: one flow after the other may go on, one in each turn of the event loop, so that what is short gets its
 * chance in between. Without it one turn would move megabytes of each sender before anybody else is heard.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #isDue = false

  /** Calls `go` when its turn has come; later, and in the order of asking. */
  wait(go: () => void): void {
    this.#waiting.push(go)
    this.#arrange()
  }

  #arrange(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      this.#waiting.shift()?.()
      if (this.#waiting.length > 0) this.#arrange()
    })
  }
}
