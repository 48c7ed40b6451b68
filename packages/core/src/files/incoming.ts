/** Offers of contacts as they come: judged, refused, and accepted where the user has said so before. */
import { isSkeinError, SkeinError } from '../errors/index.ts'
import type { Logger } from '../ports/logger.ts'
import type { StoredMessage } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import { type AutoAccept, type Unasked, weightOf } from './auto-accept.ts'
import { grownTo, planOf } from './chunk-plan.ts'
import type { End } from './end-of-offer.ts'
import type { Fetcher } from './fetcher.ts'
import { MAX_OFFERS } from './limits.ts'
import { listPlan } from './list-plan.ts'
import type { MailRoom } from './mail-room.ts'
import type { Offering } from './offering.ts'
import type { Served } from './served.ts'
import type { Live, TransferBook } from './transfer-book.ts'

export interface IncomingDeps {
  readonly transfers: TransferBook
  readonly swarm: Pick<Swarm, 'penalise'>
  readonly logger: Logger
  readonly served: Pick<Served, 'onOffered'>
  readonly offering: Pick<Offering, 'replacedBy'>
  readonly mail: Pick<MailRoom, 'endSaid'>
  readonly unasked: Unasked
  fetcher(): Pick<Fetcher, 'fail'>
  autoAccept(live: Live): Promise<AutoAccept | null>
  accept(live: Live, folder: string): Promise<unknown>
  end(live: Live, change: End): Promise<void>
  onOver(message: StoredMessage): Promise<void>
}

export class Incoming {
  private readonly deps: IncomingDeps

  constructor(deps: IncomingDeps) {
    this.deps = deps
  }

  /** A contact offers a file. */
  async onOffer(message: StoredMessage): Promise<void> {
    const { transfers, served, onOver, offering, end } = this.deps
    const live = await transfers.hear(message).catch((error: unknown) => this.onRefused(message, error))
    if (live === undefined) return
    // The word came before what it is about.
    if (message.deletedAt !== null) return onOver(message)
    if ((await served.onOffered(live)) || !(await this.isFit(live))) return
    const auto = await this.deps.autoAccept(live)
    // Nobody knows how much it will be.
    if (live.manifest.stream === 'growing') return this.heard(live)
    const before = offering.replacedBy(live, auto)
    if (before === undefined) return this.acceptUnasked(live)
    // Nothing takes its place once more (FI37).
    await end(before, { state: 'failed', reason: 'replaced', told: true })
    await this.deps.accept(live, before.stored.place)
  }

  /** The end of a stream may have been told by mail: it is judged like an offer of known size then (FI72). Never throws. */
  async heard(live: Live): Promise<void> {
    const { mail, transfers, logger } = this.deps
    try {
      const size = live.manifest.stream === 'growing' ? await mail.endSaid(live) : undefined
      if (size === undefined || live.manifest.stream !== 'growing') return
      const ended = grownTo(live.manifest, { size, ended: true })
      // First: one that has ended is not judged again.
      await this.acceptUnasked(live, ended)
      await transfers.grow(live, ended)
    } catch (error) {
      logger.warn('end-of-stream-not-taken', { reason: String(error) })
    }
  }

  /** What the user need not be asked about. */
  private async acceptUnasked(live: Live, manifest = live.manifest): Promise<void> {
    const { stored } = live
    const auto = stored.state === 'offered' ? await this.deps.autoAccept(live) : null
    if (auto !== null && (await this.deps.unasked.take(stored.contact, weightOf(manifest), auto))) await this.deps.accept(live, auto.folder)
  }

  private async isFit(live: Live): Promise<boolean> {
    const { transfers, fetcher } = this.deps
    try {
      planOf(live.manifest)
      listPlan(live.manifest)
      if (transfers.offersOf(live.stored.contact) <= MAX_OFFERS) return true
      throw new SkeinError('TOO_MANY_FILES', 'There are too many offers of this contact.')
    } catch (error) {
      await fetcher().fail(live, error)
      return false
    }
  }

  private onRefused({ sender }: StoredMessage, error: unknown): undefined {
    if (!isSkeinError(error, 'BAD_FRAME')) throw error
    this.deps.logger.warn('offer-refused', { device: sender, reason: error.message })
    this.deps.swarm.penalise(sender, error.code)
  }
}
