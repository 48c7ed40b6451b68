/** What is kept of transfers beside their conversations, and how long (FI40). */
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { StoredTransfer } from '../ports/store.ts'
import type { FilePlatform } from './file-ports.ts'
import { TIDY_EVERY_MS } from './limits.ts'
import { isFinal, type Live, type TransferBook } from './transfer-book.ts'

export interface UpkeepDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly platform: Pick<FilePlatform, 'tidy' | 'removeReceived'>
  readonly transfers: TransferBook
}

export class Upkeep {
  private readonly deps: UpkeepDeps

  constructor(deps: UpkeepDeps) {
    this.deps = deps
  }

  async tidy(): Promise<void> {
    const { transfers, platform } = this.deps
    const kept = (await transfers.prune((stored) => this.isAllThatLeads(stored))).map(({ stored }) => stored)
    const ended = kept.filter((each) => each.direction === 'in' && isFinal(each)).map(({ id, place }) => ({ id, folder: place }))
    const paths = kept.flatMap(({ path }) => (path === null ? [] : [path]))
    await platform.tidy?.({ ids: kept.map(({ id }) => id), places: kept.map(({ place }) => place), paths, ended })
  }

  /** Once a day, until `signal` aborts. @param after what else is looked at then */
  async keepTidy(signal: AbortSignal, after: () => void): Promise<void> {
    while (await this.deps.clock.sleep(TIDY_EVERY_MS, { signal })) {
      await this.tidy().catch((error: unknown) => this.deps.logger.warn('files-not-tidied', { reason: String(error) }))
      after()
    }
  }

  /** The user does not want what was received any more; what the platform does not keep itself stays where it is. */
  async removeReceived(live: Live): Promise<void> {
    const { stored } = live
    const { platform, transfers } = this.deps
    if (!this.isAllThatLeads(stored) || stored.path === null) return
    // First: where a store is full, that is what makes room in it.
    await platform.removeReceived?.(stored.path)
    await transfers.change(live, { path: null })
  }

  /** Where the platform keeps what was received, nothing but its transfer leads there. */
  private isAllThatLeads({ direction, state, path }: StoredTransfer): boolean {
    return this.deps.platform.removeReceived !== undefined && direction === 'in' && state === 'done' && path !== null
  }
}
