/** Lets a bounded number through at once, first come, first served: no recipient keeps the others waiting for long (DL15). */
export class Turnstile {
  private readonly most: number
  private inside = 0
  private readonly waiting: (() => void)[] = []

  constructor(most: number) {
    this.most = most
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.inside >= this.most) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.inside += 1
    try {
      return await work()
    } finally {
      // The place is handed on, so that nobody who comes now overtakes who waits.
      const next = this.waiting.shift()
      if (next === undefined) this.inside -= 1
      else next()
    }
  }
}
