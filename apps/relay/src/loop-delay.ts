/** How long work waits for the processor, lately: what was slow an hour ago is no answer to why it is slow now. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Between two samples of the monitor, ms. A sample is the time since the one before, so an idle loop shows this much. */
const RESOLUTION_MS = 20
/** Looks that are kept, of every 2 s: a minute. */
const MAX_LOOKS = 30

type Monitor = Pick<ReturnType<typeof monitorEventLoopDelay>, 'enable' | 'disable' | 'percentile' | 'reset'>

export class LoopDelay {
  readonly #monitor: Monitor
  readonly #looks: number[] = []

  constructor(monitor: Monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS })) {
    this.#monitor = monitor
  }

  start(): void {
    this.#monitor.enable()
  }

  stop(): void {
    this.#monitor.disable()
  }

  /** Begins the next 2 s. */
  look(): void {
    this.#looks.push(Math.max(0, this.#monitor.percentile(99) / 1e6 - RESOLUTION_MS))
    this.#monitor.reset()
    if (this.#looks.length > MAX_LOOKS) this.#looks.shift()
  }

  /** 99th percentile of the worst 2 s of the last minute, ms. */
  worst(): number {
    return Math.round(Math.max(0, ...this.#looks) * 10) / 10
  }
}
