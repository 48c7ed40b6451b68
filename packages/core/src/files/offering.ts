/** Offers files to contacts, and anew when they have changed while they were sent (FI37). */
import type { ContactBook } from '../contacts/index.ts'
import { isSkeinError, SkeinError } from '../errors/index.ts'
import { assertSendable, type MainPath, sendMessage } from '../main-path/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Random } from '../ports/random.ts'
import type { StoredContact } from '../ports/store.ts'
import { encodeManifest, type FileManifest } from '../wire/manifest.ts'
import { type AutoAccept, weightOf } from './auto-accept.ts'
import { chunkSizeFor, planOf, streamSizes } from './chunk-plan.ts'
import type { FilePlatform, SourceDescription } from './file-ports.ts'
import { ANEW_AFTER_MS, ANEW_AT_START_MS, ANEW_WITHIN_MS, GROWN_BYTES, MAX_ANEW } from './limits.ts'
import type { Live, Transfer, TransferBook } from './transfer-book.ts'

export interface OfferingDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly book: ContactBook
  readonly platform: FilePlatform
  readonly transfers: TransferBook
  path(): MainPath
  /** Ends an offer that was just made. */
  withdraw(live: Live): Promise<void>
}

/** What keeps a file from being offered anew that is not of the file; who sends it again is told. */
const NOT_ANEW = 'not-anew'
const OF_THE_FILE: readonly string[] = ['FILE_UNREADABLE', 'FILE_TOO_LARGE', 'TOO_MANY_FILES']

type Extra = Pick<FileManifest, 'thumbnail' | 'replaces' | 'stream'>

export class Offering {
  private readonly deps: OfferingDeps
  private stopping: AbortSignal | undefined

  constructor(deps: OfferingDeps) {
    this.deps = deps
  }

  start(signal: AbortSignal): void {
    this.stopping = signal
  }

  /** As FileService.send. */
  async send(contacts: readonly StoredContact[], paths: readonly string[], extra: Extra): Promise<readonly Transfer[]> {
    // To all of them or to nobody: who tries again after a refusal would offer it twice to the others.
    for (const each of contacts) assertSendable(this.deps.book, each)
    const { place, ...found } = await this.deps.platform.describe(paths)
    const transfer = { manifest: encodeManifest(this.manifestOf(found, extra)), place }
    const draft = { kind: 'file', name: found.name, transfer } as const
    const sent: Live[] = []
    try {
      for (const contact of contacts) {
        const { id } = await sendMessage(this.deps.path(), contact, draft)
        const live = await this.deps.transfers.learn(id)
        if (live !== undefined) sent.push(live)
      }
    } catch (error) {
      for (const live of sent) await this.deps.withdraw(live)
      throw error
    }
    return sent.map((live) => this.deps.transfers.show(live))
  }

  private manifestOf(found: Omit<SourceDescription, 'place'>, { thumbnail, replaces, stream }: Extra): FileManifest {
    const sizes = stream === undefined ? { chunkSize: chunkSizeFor(found.size) } : streamSizes(found.size, stream)
    const picture = found.folder === undefined ? thumbnail : undefined
    const manifest = { ...found, ...sizes, key: this.deps.random.bytes(32), root: undefined, thumbnail: picture, replaces }
    planOf(manifest)
    return manifest
  }

  /**
   * What has changed is offered once more, under a new key, when it has had a moment to come to rest; not for ever. Call it
   * before what was kept for the transfer is forgotten. Never throws.
   */
  anew(live: Live): void {
    const { platform, logger, transfers } = this.deps
    const attempt = (live.manifest.replaces?.attempt ?? 0) + 1
    if (attempt > MAX_ANEW || live.manifest.stream === 'growing') return
    const paths = platform.pathsOf(live.stored.place)
    this.offerAnew(live, paths, attempt).catch(async (error: unknown) => {
      logger.warn('file-not-offered-anew', { reason: String(error) })
      // Nobody waits for it: the user hears what keeps it from being sent.
      if (isSkeinError(error)) await transfers.change(live, { reason: reasonFor(error) }).catch(() => undefined)
    })
  }

  /** What had changed when the program was ended, just before it was offered anew. */
  catchUp(): void {
    const since = this.deps.clock.now() - ANEW_AT_START_MS
    const all = this.deps.transfers.all().filter(({ stored }) => stored.direction === 'out')
    const replaced = new Set(all.map(({ manifest }) => manifest.replaces?.transfer))
    for (const live of all) {
      const { id, state, reason, updatedAt } = live.stored
      if (state === 'failed' && reason === 'FILE_CHANGED' && updatedAt >= since && !replaced.has(id)) this.anew(live)
    }
  }

  private async offerAnew({ stored }: Live, paths: readonly string[], attempt: number): Promise<void> {
    const { clock, book } = this.deps
    const signal = this.stopping
    if (!(await clock.sleep(ANEW_AFTER_MS, signal === undefined ? {} : { signal }))) return
    const contact = book.get(stored.contact)
    if (contact?.state !== 'accepted') throw new SkeinError('CONTACT_UNKNOWN', 'Who was to get it is no contact any more.')
    await this.send([contact], paths, { replaces: { transfer: stored.id, attempt } })
  }

  /** What has changed at its sender is expected to be offered anew, for a while. Never throws. */
  awaitAnew(live: Live): void {
    const { clock, transfers } = this.deps
    const signal = this.stopping
    const waiting = clock.sleep(ANEW_WITHIN_MS, signal === undefined ? {} : { signal })
    void waiting.then((isOver) => (isOver && transfers.find(live.stored.id, 'in') === live ? transfers.tell(live) : undefined))
  }

  /** What an offer takes the place of, if the user has accepted that: then the offer is accepted too, unless it has grown too much. @param auto what is accepted without asking */
  replacedBy({ stored, manifest }: Live, auto: AutoAccept | null): Live | undefined {
    const { replaces } = manifest
    const before = replaces === undefined ? undefined : this.deps.transfers.find(replaces.transfer, 'in')
    if (replaces === undefined || before?.stored.contact !== stored.contact) return undefined
    const isNext = replaces.attempt === (before.manifest.replaces?.attempt ?? 0) + 1 && replaces.attempt <= MAX_ANEW
    const { state, reason } = before.stored
    const isWanted = state === 'running' || state === 'waiting' || (state === 'failed' && reason === 'FILE_CHANGED')
    // What nobody was asked about does not grow beyond what nobody need be asked about.
    const weight = weightOf(before.manifest)
    const most = auto !== null && weight <= auto.maxBytes ? auto.maxBytes : 2 * weight + GROWN_BYTES
    return isNext && isWanted && weightOf(manifest) <= most ? before : undefined
  }
}

function reasonFor({ code }: SkeinError): string {
  return OF_THE_FILE.includes(code) ? code : NOT_ANEW
}
