// Numbers that one end has written and the other has received: what was lost, what went again, and what nobody wrote twice.

export class Tally {
  #written = new Map()
  #arrived = new Map()

  onWritten(number) {
    this.#written.set(number, (this.#written.get(number) ?? 0) + 1)
  }

  /** @returns {boolean} whether it is the first time */
  onArrived(number) {
    const before = this.#arrived.get(number) ?? 0
    this.#arrived.set(number, before + 1)
    return before === 0
  }

  get distinct() {
    return this.#arrived.size
  }

  /** Arrivals of what had arrived before, since its sender had no word of it: a client shows them once. */
  get again() {
    return [...this.#arrived.values()].reduce((sum, times) => sum + times - 1, 0)
  }

  /** Arrivals beyond what was written: a client would take them for another's, or the relay has carried them twice. */
  get doubled() {
    return [...this.#arrived].reduce((sum, [number, times]) => sum + Math.max(0, times - (this.#written.get(number) ?? 0)), 0)
  }
}
