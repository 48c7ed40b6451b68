/** So many at once; others wait, in order (FI22). */
export class Turns {
  private readonly most: number
  private readonly queue: (() => void)[] = []
  private busy = 0

  constructor(most: number) {
    this.most = most
  }

  /** @param work gets a function that gives the turn back before it has ended */
  async take<T>(work: (giveBack: () => void) => Promise<T>): Promise<T> {
    if (this.busy >= this.most) await new Promise<void>((resolve) => this.queue.push(resolve))
    this.busy += 1
    let isGiven = false
    const giveBack = (): void => {
      if (isGiven) return
      isGiven = true
      this.busy -= 1
      this.queue.shift()?.()
    }
    try {
      return await work(giveBack)
    } finally {
      giveBack()
    }
  }

  /** Nobody waits any longer. */
  stop(): void {
    for (const go of this.queue.splice(0)) go()
  }
}
