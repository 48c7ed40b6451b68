import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Store, StoredMessage } from '../ports/store.ts'

/** Messages that are told of at once when they have disappeared. */
const PAGE = 256
/** The clock of a machine may be set: looked at this often, however far away the next one is. */
const LOOK_MS = 3_600_000
/** After a failure of the store. */
const AGAIN_MS = 10_000

export interface DisappearingDeps {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  onGone(message: StoredMessage): void
}

/** Takes messages away when their time has come (MK7, MK8). */
export class Disappearing {
  private readonly deps: DisappearingDeps
  private hurry = new AbortController()

  constructor(deps: DisappearingDeps) {
    this.deps = deps
  }

  /** Something may disappear sooner than what was known. */
  look(): void {
    this.hurry.abort()
  }

  /** Runs until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.hurry.abort(), { once: true })
    while (!signal.aborted) {
      this.hurry = new AbortController()
      const wait = await this.takeAway().catch((error: unknown) => {
        this.deps.logger.error('disappearing-failed', { reason: String(error) })
        return AGAIN_MS
      })
      if (!signal.aborted) await this.deps.clock.sleep(wait, { signal: this.hurry.signal })
    }
  }

  /** @returns milliseconds until the next look */
  private async takeAway(): Promise<number> {
    const { store, clock, onGone } = this.deps
    for (;;) {
      const now = clock.now()
      const next = await store.disappearing(PAGE)
      const due = next.filter(({ disappearAt }) => (disappearAt ?? now) <= now)
      if (due.length === 0) return Math.min(LOOK_MS, Math.max(0, (next[0]?.disappearAt ?? Infinity) - now))
      await store.commit([{ kind: 'messages.disappear', at: now }])
      for (const message of due) onGone(message)
    }
  }
}
