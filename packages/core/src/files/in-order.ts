/** Results of work that runs at once, in the order in which it was begun. */
export class InOrder {
  private turn: Promise<void> = Promise.resolve()

  /** @returns as `work`, when all that was begun before is over; what fails does so at once */
  next<T>(work: Promise<T> | T): Promise<T> {
    const result = Promise.all([work, this.turn]).then(([value]) => value)
    const over = (): void => undefined
    this.turn = result.then(over, over)
    return result
  }
}
