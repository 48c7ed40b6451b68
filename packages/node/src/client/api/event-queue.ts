/** What happens, for one reader at its own pace. */
export class EventQueue<T> implements AsyncIterable<T> {
  private readonly pending: T[] = []
  private readonly signal: AbortSignal | undefined
  private ended = false
  private failure: { readonly error: unknown } | undefined
  private wake = (): void => undefined

  /** @param signal ends the queue */
  constructor(signal?: AbortSignal) {
    this.signal = signal
    signal?.addEventListener('abort', () => this.wake(), { once: true })
  }

  get length(): number {
    return this.pending.length
  }

  put(event: T): void {
    this.pending.push(event)
    this.wake()
  }

  /** After what is there. */
  end(): void {
    this.ended = true
    this.wake()
  }

  /** The reader gets `error` after what is there. */
  fail(error: unknown): void {
    this.failure = { error }
    this.end()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    while (!this.signal?.aborted) {
      yield* this.pending.splice(0)
      if (this.pending.length > 0) continue
      if (this.failure !== undefined) throw this.failure.error
      if (this.ended) return
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }
}
