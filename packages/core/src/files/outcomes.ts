/** What the other side says about a transfer, and what becomes of it here. */
import { isSkeinError } from '../errors/index.ts'
import { sameBytes } from '../wire/codec.ts'
import type { Fetcher } from './fetcher.ts'
import { hexOf } from './hex.ts'
import type { Offering } from './offering.ts'
import type { Outcome } from './serving.ts'
import type { SharedSource } from './shared-source.ts'
import { isFinal, type Live, type TransferBook } from './transfer-book.ts'

export interface OutcomesDeps {
  readonly transfers: TransferBook
  readonly offering: Offering
  fetcher(): Pick<Fetcher, 'placed' | 'wake'>
  withSource<T>(live: Live, work: (source: SharedSource) => Promise<T>): Promise<T>
  /** Breaks off what is on its way. */
  interrupt(live: Live): void
  /** It has ended: what was kept beside it goes. */
  drop(live: Live): Promise<void>
}

export class Outcomes {
  private readonly deps: OutcomesDeps

  constructor(deps: OutcomesDeps) {
    this.deps = deps
  }

  async take(live: Live, { state, code, digest }: Outcome): Promise<void> {
    const { transfers, interrupt, drop } = this.deps
    const fetcher = this.deps.fetcher()
    await fetcher.placed(live)
    if (isFinal(live.stored)) return
    if (state === 'ready') return this.onReady(live)
    if (state === 'paused') return this.onPaused(live)
    if (state === 'done') return live.stored.direction === 'out' ? this.onDone(live, digest) : undefined
    await transfers.changeAnd(live, { state, reason: code === '' ? 'there' : code, told: true }, async () => {
      if (code === 'FILE_CHANGED') this.beginAnew(live)
      interrupt(live)
      await drop(live)
    })
  }

  /** Who has offered it offers it as it is now; who was offered it waits for that. */
  private beginAnew(live: Live): void {
    if (live.stored.direction === 'out') this.deps.offering.anew(live)
    else this.deps.offering.awaitAnew(live)
  }

  /** The recipient has it whole: by its own count, which is held against what we have read (FI19). */
  async onDone(live: Live, digest: Uint8Array): Promise<void> {
    // Nobody has whole what has not ended.
    if (live.manifest.stream === 'growing') return
    const own = live.sha256 ?? (await this.hashAnew(live, digest))
    const same = sameBytes(own, digest)
    const change = same ? ({ state: 'done', reason: null } as const) : ({ state: 'failed', reason: 'FILE_DAMAGED' } as const)
    const { transfers, drop } = this.deps
    const whole = { bytes: live.manifest.size, sha256: same ? hexOf(digest) : null, told: true }
    await transfers.changeAnd(live, { ...change, ...whole }, () => drop(live))
  }

  private async onReady(live: Live): Promise<void> {
    if (live.stored.reason === 'paused-there') await this.deps.transfers.change(live, { reason: null })
    this.deps.fetcher().wake(live)
  }

  /** What the user has not answered stays so, whatever its sender says (FI20). */
  private async onPaused(live: Live): Promise<void> {
    const isAnswered = live.stored.state !== 'paused' && live.stored.state !== 'offered'
    if (isAnswered) await this.deps.transfers.change(live, { state: 'waiting', reason: 'paused-there' })
  }

  /** After a restart. @returns `said` where the source is gone by now: the recipient has compared the tree */
  private hashAnew(live: Live, said: Uint8Array): Promise<Uint8Array> {
    const hashing = this.deps.withSource(live, async (source) => (await source.finish()).sha256)
    return hashing.catch((error: unknown) => (isSkeinError(error) ? said : Promise.reject(error)))
  }
}

/** What its sender says of it by mail, as if on a channel. */
export function cancelledThere({ stored: { id } }: Live): Outcome {
  return { kind: 'outcome', id, state: 'cancelled', code: '', digest: new Uint8Array() }
}
