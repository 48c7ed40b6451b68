/** Streams: what is offered and sent while it still comes, as through a pipe (FI70 to FI75). */
import { SkeinError } from '../errors/index.ts'
import type { MessageId } from '../ids.ts'
import type { StoredContact } from '../ports/store.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { grownTo, sizeSoFar } from './chunk-plan.ts'
import type { End } from './end-of-offer.ts'
import type { MailRoom } from './mail-room.ts'
import type { Offering } from './offering.ts'
import { isFinal, type Live, type Transfer, type TransferBook } from './transfer-book.ts'

export interface StreamsDeps {
  readonly transfers: TransferBook
  readonly offering: Pick<Offering, 'send'>
  readonly mail: Pick<MailRoom, 'sayEnded'>
  /** More of the source is known of, for whoever reads it. */
  growSource(manifest: FileManifest): Promise<void>
  end(live: Live, change: End): Promise<void>
  /** What was kept for one that has ended goes. */
  drop(live: Live): Promise<void>
}

/** How much has come by now. */
export interface Grown {
  readonly bytes: number
  /** That is all of it. */
  readonly ended: boolean
}

export class Streams {
  private readonly deps: StreamsDeps
  private last: Promise<unknown> = Promise.resolve()

  constructor(deps: StreamsDeps) {
    this.deps = deps
  }

  /** What was read from when the program ended is read by nobody any more. */
  async start(): Promise<void> {
    const ours = this.deps.transfers.all().filter(({ stored, manifest }) => stored.direction === 'out' && manifest.stream === 'growing')
    await forAll(ours, async (live) => {
      await this.breakOff([live.stored.id])
      // The program may have ended before what it had broken off was removed.
      await this.deps.drop(live)
    })
  }

  /** As FileService.send. @param path of what has come, which grows until `grow` has told its end */
  offer(contacts: readonly StoredContact[], path: string): Promise<readonly Transfer[]> {
    return this.deps.offering.send(contacts, [path], { stream: 'growing' })
  }

  /** In the order of the calls. @throws SkeinError FILE_TOO_LARGE, BAD_FRAME; TRANSFER_UNKNOWN when nobody is to get it any more */
  grow(ids: readonly MessageId[], grown: Grown): Promise<void> {
    const growing = this.last.then(() => this.growNow(ids, grown))
    this.last = growing.catch(() => undefined)
    return growing
  }

  private async growNow(ids: readonly MessageId[], { bytes, ended }: Grown): Promise<void> {
    const open = this.growing(ids)
    if (open.length === 0) throw new SkeinError('TRANSFER_UNKNOWN', 'Nobody is to get what comes any more.')
    const size = ended ? bytes : sizeSoFar(bytes)
    const growing = forAll(open, async (live) => {
      if (!ended && size <= live.manifest.size) return
      const grown = grownTo(live.manifest, { size, ended })
      await this.deps.growSource(grown)
      await this.deps.transfers.grow(live, grown)
      this.tellEnd(live)
    })
    await (ended ? growing.catch((error: unknown) => this.breakOffRest(open, error)) : growing)
  }

  /** Whose end cannot be kept gets none; the others keep theirs, and the copy. @throws `error` where that is nobody */
  private async breakOffRest(open: readonly Live[], error: unknown): Promise<void> {
    await this.breakOff(open.map(({ stored: { id } }) => id)).catch(() => undefined)
    if (!open.some(({ manifest, stored }) => manifest.stream === 'ended' && !isFinal(stored))) throw error
  }

  /** It will never be whole: for nobody (FI73). */
  breakOff(ids: readonly MessageId[]): Promise<void> {
    return forAll(this.growing(ids), (live) => this.deps.end(live, { state: 'failed', reason: 'PIPE_BROKEN' }))
  }

  /** Until all of it has come, nobody is to get it any more, or `signal` aborts. */
  async over(ids: readonly MessageId[], signal: AbortSignal): Promise<void> {
    for (let [live] = this.growing(ids); live !== undefined && !signal.aborted; [live] = this.growing(ids))
      await this.deps.transfers.changed(live, signal)
  }

  /** Who has not been told that one of ours has ended is, as far as there is something to encrypt with. */
  tellEnd(live: Live): void {
    const { stored, manifest } = live
    if (stored.direction === 'out' && manifest.stream === 'ended' && !isFinal(stored)) this.deps.mail.sayEnded(live)
  }

  private growing(ids: readonly MessageId[]): readonly Live[] {
    const all = ids.map((id) => this.deps.transfers.find(id, 'out')).filter((live) => live !== undefined)
    return all.filter(({ manifest, stored }) => manifest.stream === 'growing' && !isFinal(stored))
  }
}

/** One that fails keeps none of the others. @throws what the first has failed with, at last */
async function forAll(all: readonly Live[], work: (live: Live) => Promise<void>): Promise<void> {
  const errors: unknown[] = []
  for (const live of all) await work(live).catch((error: unknown) => errors.push(error))
  if (errors.length > 0) throw errors[0]
}
