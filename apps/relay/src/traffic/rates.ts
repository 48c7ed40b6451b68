/** Average rates over the windows that operators know from other relays: 10 s to an hour. */

/** Seconds. */
const WINDOWS = [10, 60, 300, 900, 1_800, 3_600] as const
/** One sample every 10 s for an hour. */
export const SAMPLE_EVERY_MS = 10_000
const MAX_SAMPLES = 361

export class Rates {
  readonly #samples: { readonly at: number; readonly bytes: number }[] = []

  /** @param at monotonic ms @param bytes in all since the start */
  sample(at: number, bytes: number): void {
    this.#samples.push({ at, bytes })
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
  }

  /** Kilobits a second over each window, as far as the relay has run. */
  kilobits(): Readonly<Record<string, number>> {
    return Object.fromEntries(WINDOWS.map((seconds) => [`${seconds}s`, this.#over(seconds)]))
  }

  #over(seconds: number): number {
    const last = this.#samples.at(-1)
    const first = this.#samples.at(-1 - Math.round((seconds * 1_000) / SAMPLE_EVERY_MS)) ?? this.#samples[0]
    if (last === undefined || first === undefined || last.at <= first.at) return 0
    return Math.round(((last.bytes - first.bytes) * 8) / (last.at - first.at))
  }
}
