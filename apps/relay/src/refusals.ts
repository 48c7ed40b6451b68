/** What was refused at limits, by service and reason: counted at once, told in the log once a minute. */
import type { Logger } from '@skein/core'

/** Between two lines in the log, ms: a flood is one line, not a million. */
const TELL_EVERY_MS = 60_000

export class Refusals implements Disposable {
  readonly #totals = new Map<string, Map<string, number>>()
  readonly #untold = new Map<string, number>()
  readonly #logger: Logger
  readonly #telling: NodeJS.Timeout

  constructor(logger: Logger) {
    this.#logger = logger
    this.#telling = setInterval(() => this.#tell(), TELL_EVERY_MS).unref()
  }

  /** @param service what was asked for @param reason one of few words */
  count(service: string, reason: string): void {
    const reasons = this.#totals.get(service) ?? new Map<string, number>()
    this.#totals.set(service, reasons.set(reason, (reasons.get(reason) ?? 0) + 1))
    const name = `${service} ${reason}`
    // The first of a minute is told at once: whoever watches is not to wait.
    if (!this.#untold.has(name)) this.#logger.warn('refused', { service, why: reason })
    this.#untold.set(name, (this.#untold.get(name) ?? -1) + 1)
  }

  /** Since the start. */
  totals(): readonly { readonly service: string; readonly reason: string; readonly count: number }[] {
    return [...this.#totals].flatMap(([service, reasons]) => [...reasons].map(([reason, count]) => ({ service, reason, count })))
  }

  [Symbol.dispose](): void {
    clearInterval(this.#telling)
    this.#tell()
  }

  #tell(): void {
    for (const [name, count] of this.#untold) {
      const [service, why] = name.split(' ')
      if (count > 0) this.#logger.warn('refused-more', { service, why, count })
    }
    this.#untold.clear()
  }
}
