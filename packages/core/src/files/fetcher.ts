/** Fetches what was accepted: a few at once, again and again until it is there. */
import type { ContactBook } from '../contacts/index.ts'
import { isSkeinError } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Swarm } from '../ports/swarm.ts'
import { type ChunkPlan, grownTo, planOf, presentBytes } from './chunk-plan.ts'
import { ContentFetch, type ContentWish } from './content-fetch.ts'
import { breakOff, closeFor, codeFor, HOLDING, HOPELESS, type Loop, newLoop, openFor, pause } from './fetch-loop.ts'
import type { Incomplete } from './fetching.ts'
import type { BulkPort, ContentSink, FilePlatform } from './file-ports.ts'
import { writeMailed } from './from-mail.ts'
import type { KeptSinks } from './kept-sinks.ts'
import { RETRY_MS } from './limits.ts'
import { fetchList } from './list-fetch.ts'
import type { MailRoom } from './mail-room.ts'
import type { MeshReceiver } from './mesh-receiver.ts'
import type { Pace } from './pace.ts'
import { Placing } from './placing.ts'
import { Queue } from './queue.ts'
import { RawTries, type RawWayDeps } from './raw-way.ts'
import type { Outcome } from './serving.ts'
import type { Source } from './source-lane.ts'
import { devicesFor, sayOn, type Teller } from './teller.ts'
import { isFinal, type Live, type TransferBook } from './transfer-book.ts'
import { windowOn } from './window.ts'

export interface FetcherDeps {
  readonly swarm: Swarm
  readonly clock: Clock
  readonly logger: Logger
  readonly primitives: Primitives
  readonly book: ContactBook
  readonly platform: Pick<FilePlatform, 'forget'>
  readonly sinks: KeptSinks
  readonly transfers: TransferBook
  readonly teller: Teller
  readonly mail: Pick<MailRoom, 'whole' | 'toTake' | 'endTakenBack' | 'askFor' | 'sayDone' | 'forget'>
  /** Where there is a mesh. */
  readonly mesh: Pick<MeshReceiver, 'isExpecting' | 'fetch'> | undefined
  readonly pace: Pace
  readonly random: Pick<Random, 'bytes'>
  readonly bulk: BulkPort | undefined
  onOutcome(live: Live, outcome: Outcome): Promise<void>
}

interface Work extends Source {
  readonly sink: ContentSink
  readonly loop: Loop
}

export class Fetcher {
  private readonly deps: FetcherDeps
  private readonly loops = new Map<Live, Loop>()
  private readonly placing: Placing
  private stopping: AbortSignal | undefined
  private readonly queue: Queue
  private readonly raw: RawWayDeps
  private readonly sinks: KeptSinks

  constructor(deps: FetcherDeps) {
    this.deps = deps
    this.raw = { ...deps, tries: new RawTries(deps.clock) }
    this.sinks = deps.sinks
    const isWanted = (live: Live): boolean => this.isWanted(live)
    this.queue = new Queue({ ...deps, isWanted, onStill: (live) => void this.rest(live, 'silent') })
    this.placing = new Placing({ transfers: deps.transfers, isWanted })
  }

  start(signal: AbortSignal): void {
    this.stopping = signal
    signal.addEventListener('abort', () => this.stop(), { once: true })
  }

  /** There is something to do, or the other side is there: not waited for any longer. */
  wake(live: Live): void {
    const { direction, state } = live.stored
    if (direction !== 'in' || (state !== 'waiting' && state !== 'running')) return
    const loop = this.loops.get(live)
    if (loop !== undefined) {
      loop.isWoken = true
      loop.wake()
      this.queue.back(live)
    } else if (this.stopping !== undefined && !this.stopping.aborted) void this.look(live)
  }

  /** Nobody looks after it, and somebody might. */
  takeUp(live: Live): void {
    if (this.loops.has(live)) this.queue.back(live)
    else this.wake(live)
  }

  /** Channels to devices that are nobody's to ask any more are closed. */
  leave(isLeft: (device: DeviceId) => boolean): void {
    for (const loop of this.loops.values()) for (const { peer } of [...loop.links]) if (isLeft(peer)) breakOff(loop, peer)
  }

  /** Something has come for it by mail: when that is all of it, nobody is looked for any longer. Never throws. */
  async heard(live: Live): Promise<void> {
    const { mail, logger } = this.deps
    try {
      if (await mail.endTakenBack(live)) return
      this.wake(live)
      if (this.loops.get(live)?.opening !== undefined && (await mail.whole(live)) !== undefined) this.loops.get(live)?.opening?.abort()
    } catch (error) {
      logger.warn('mailed-file-not-read', { reason: String(error) })
    }
  }

  /** It was paused or ended meanwhile. @param leave what becomes of what runs */
  interrupt(live: Live, leave: (loop: Loop) => unknown = breakOff): void {
    const loop = this.loops.get(live)
    if (loop !== undefined) leave(loop)
    this.queue.look()
  }

  /** A better path to a device has opened: what runs goes on there (FI18). */
  moveOver(device: DeviceId): void {
    this.raw.tries.forget(device)
    for (const loop of this.loops.values()) breakOff(loop, device)
  }

  /** Removes what is unfinished. */
  async forget(live: Live): Promise<void> {
    const { stored } = live
    await this.deps.mail.forget(live).catch(() => undefined)
    await this.deps.platform.forget({ id: stored.id, folder: stored.place }).catch(() => undefined)
  }

  /** Ends it, with the code of `error`. */
  async fail(live: Live, error: unknown): Promise<void> {
    const reason = isSkeinError(error) ? error.code : 'FILE_DAMAGED'
    await this.deps.transfers.changeAnd(live, { state: 'failed', reason, told: false }, () => this.forget(live))
    this.deps.teller.wake(live)
  }

  private stop(): void {
    for (const live of this.loops.keys()) this.interrupt(live)
    this.queue.stop()
  }

  private isWanted(live: Live): boolean {
    const { state, contact } = live.stored
    const isBlocked = this.deps.book.get(contact)?.blocked === true
    return this.stopping?.aborted === false && !isBlocked && (state === 'waiting' || state === 'running')
  }

  private async look(live: Live): Promise<void> {
    const loop = newLoop()
    this.loops.set(live, loop)
    try {
      // It may go on again while its part is being closed.
      while (this.isWanted(live)) {
        await this.tryAgain(live, loop)
        await this.sinks.drop(live.stored.id)
      }
    } catch (error) {
      this.deps.logger.error('fetching-failed', { reason: String(error) })
    } finally {
      this.loops.delete(live)
    }
    await this.sinks.drop(live.stored.id)
    // Whoever ended it has removed what was there then, and not what was still being written.
    if (isFinal(live.stored) && live.stored.state !== 'done') await this.forget(live)
  }

  private async tryAgain(live: Live, loop: Loop): Promise<void> {
    for (let wait: number = RETRY_MS.first; this.isWanted(live); wait = Math.min(wait * 2, RETRY_MS.most)) {
      const before = live.stored.moved
      loop.isWoken = false
      await this.attempt(live, loop)
      await this.rest(live, loop.isLeft ? 'elsewhere' : null)
      if (live.stored.moved > before) [wait, loop.oddities] = [RETRY_MS.first, 0]
      if (this.isWanted(live)) await pause(loop, this.deps.clock, loop.isWoken ? RETRY_MS.first : wait)
    }
  }

  /** A store that is full keeps nobody from trying again. */
  private async rest(live: Live, reason: string | null = null): Promise<void> {
    if (live.stored.state !== 'running' || this.stopping?.aborted) return
    const waiting = this.deps.transfers.change(live, { state: 'waiting', reason })
    await waiting.catch((error: unknown) => this.deps.logger.warn('transfer-not-kept', { reason: String(error) }))
  }

  /** Once, with whichever device answers. Never throws. */
  private async attempt(live: Live, loop: Loop): Promise<void> {
    try {
      const sources = this.deps.mesh?.isExpecting(live) === true ? [] : this.sourcesOf(live, loop)
      for (const device of sources) {
        if ((await this.fromMail(live)) || (await this.fetchFrom(live, device, loop))) return
        if (!this.isWanted(live)) return
      }
      if (!(await this.fromMail(live))) await this.elsewhere(live, loop)
    } catch (error) {
      await this.sinks.drop(live.stored.id)
      await this.onFailure(live, loop, error).catch(() => undefined)
    } finally {
      for (const link of loop.links) link.close()
      loop.links.clear()
    }
  }

  /** Nobody answers: it may come by mail, or by the mesh. */
  private async elsewhere(live: Live, loop: Loop): Promise<void> {
    const { mail, mesh } = this.deps
    mail.askFor(live)
    if (mesh === undefined) return
    await this.queue.take(live, async () => {
      const over = new AbortController()
      loop.wake = () => over.abort()
      await mesh.fetch(live, over.signal)
    })
  }

  private async fromMail(live: Live): Promise<boolean> {
    if ((await this.deps.mail.whole(live)) === undefined) return false
    return (await this.queue.take(live, () => this.takeMailed(live))) ?? false
  }

  /** All of it has come by mail, opens and is what was offered (FI34); else nothing has happened. @throws SkeinError DISK_FULL, FILE_UNREADABLE */
  private async takeMailed(live: Live): Promise<boolean> {
    const { mail, teller, logger } = this.deps
    try {
      const mailed = await mail.toTake(live)
      if (mailed === undefined) return false
      const complete = (sink: ContentSink, root: Uint8Array): Promise<void> => this.complete(live, { sink, root })
      await writeMailed({ ...this.deps, complete }, live, mailed)
    } catch (error) {
      await this.sinks.drop(live.stored.id)
      if (!isSkeinError(error) || error.code in HOLDING) throw error
      logger.warn('mailed-file-not-taken', { code: error.code })
      await mail.forget(live)
      return false
    }
    if (live.stored.state !== 'done') return false
    mail.sayDone(live)
    teller.wake(live)
    return true
  }

  private async onFailure(live: Live, loop: Loop, error: unknown): Promise<void> {
    const { logger, transfers } = this.deps
    logger.warn('file-not-received', { reason: String(error) })
    if (isFinal(live.stored)) return
    const code = codeFor(loop, error)
    const reason = HOLDING[code]
    if (reason !== undefined) {
      await transfers.change(live, { state: 'paused', reason }).catch(() => undefined)
      this.deps.teller.mention(live, 'paused')
    } else if (HOPELESS.includes(code)) await this.fail(live, error)
  }

  /** Its sender before others; of a single file also our own devices, which may have it (FI38). */
  private sourcesOf({ stored, manifest }: Live, { shunsOthers }: Loop): readonly DeviceId[] {
    const { book } = this.deps
    if (shunsOthers) return [stored.device]
    const own = manifest.folder === undefined ? book.ownDevices().map(({ device }) => device) : []
    return [...devicesFor(book, stored), ...own]
  }

  /** @returns false when the device is not there, or has it not */
  private async fetchFrom(live: Live, device: DeviceId, loop: Loop): Promise<boolean> {
    const isConnected = this.deps.swarm.paths().some((each) => each.device === device)
    // Who is away takes no turn.
    const first = isConnected ? undefined : await this.openFirst(loop, device)
    if (first !== undefined) closeFor(loop, first)
    else if (!isConnected) return false
    return (await this.queue.take(live, () => this.fetchOver(live, device, loop))) ?? false
  }

  /** While it has come by mail there is no use for it. */
  private async openFirst(loop: Loop, device: DeviceId): Promise<Source | undefined> {
    loop.opening = new AbortController()
    const source = await openFor(this.deps, loop, { device, signal: loop.opening.signal })
    loop.opening = undefined
    return source
  }

  private async fetchOver(live: Live, device: DeviceId, loop: Loop): Promise<boolean> {
    const source = await this.openFirst(loop, device)
    if (source === undefined) return false
    loop.isElsewhere = false
    // Between the look and the opening it may have been paused.
    if (this.isWanted(live)) await this.fetch(live, source, loop)
    closeFor(loop, source)
    return !loop.isElsewhere
  }

  private async fetch(live: Live, source: Source, loop: Loop): Promise<void> {
    const list = await fetchList(this.deps, live, source)
    if (list !== undefined && 'kind' in list) return this.onIncomplete(live, list, { ...source, loop })
    const { stored, manifest } = live
    const sink = await this.sinks.openSink({ id: stored.id, manifest, list, folder: stored.place })
    try {
      // Opening takes long where much is there: it may have been paused or ended meanwhile.
      if (this.isWanted(live)) await this.begin(live, presentBytes(planOf(manifest), sink.present), sink)
      for (let work: Work | undefined = { ...source, sink, loop }; work !== undefined && this.isWanted(live); )
        work = await this.fetchContent(live, work)
    } finally {
      await sink.close()
    }
  }

  private begin(live: Live, bytes: number, { moved }: ContentSink): Promise<void> {
    return this.deps.transfers.change(live, { state: 'running', reason: null, bytes, moved: Math.max(live.stored.moved, moved) })
  }

  private async onIncomplete(live: Live, fetched: Incomplete, { link, loop }: Pick<Work, 'link' | 'loop'>): Promise<void> {
    // Who has not offered it cannot end it.
    loop.isElsewhere = fetched.kind === 'refused' && link.peer !== live.stored.device
    if (fetched.kind === 'refused' && !loop.isElsewhere) await this.deps.onOutcome(live, fetched.outcome)
  }

  /** All that is known of. @returns with what to go on, when there is more of a stream */
  private async fetchContent(live: Live, work: Work): Promise<Work | undefined> {
    const { sink, loop } = work
    const { manifest } = live
    if (manifest.stream !== undefined) await sink.grow(manifest)
    const plan = planOf(manifest)
    const content = new ContentFetch({ ...this.deps, raw: this.raw }, this.wishOf(live, plan, work))
    loop.content = content
    loop.wake = () => content.hurry()
    try {
      const outcome = await content.run()
      loop.isMixed ||= content.isMixed
      loop.isLeft ||= content.isLeft
      if (outcome.kind === 'complete') await this.finish(live, outcome, { ...work, teller: content.sourceOf(live.stored.device) })
      else if (outcome.kind === 'refused') await this.deps.onOutcome(live, outcome.outcome)
      else if (outcome.kind === 'grown') {
        const grown = grownTo(manifest, outcome)
        // Its end may have been told by mail meanwhile.
        if (live.manifest.stream === 'growing') await this.deps.transfers.grow(live, grown)
        const lead = content.sourceOf(work.link.peer)
        return lead && { ...work, ...lead }
      } else loop.isElsewhere = content.isElsewhere
    } finally {
      loop.content = undefined
    }
    return undefined
  }

  private wishOf(live: Live, plan: ChunkPlan, { link, reader, sink, loop }: Work): ContentWish {
    const { transfers } = this.deps
    return {
      ...{ live, plan, sink },
      lead: { link, reader },
      // Others have single files alone, when they are whole.
      others: live.manifest.folder === undefined && !plan.grows ? this.sourcesOf(live, loop) : [],
      open: (device, signal) => openFor(this.deps, loop, { device, signal }),
      isOwn: (device) => this.deps.book.ownDevices().some((each) => each.device === device),
      isWanted: () => this.isWanted(live),
      window: (each, least) => windowOn(this.deps, { live, device: each.peer, least }),
      onChunk: (sealed) => transfers.progress(live, { moved: live.stored.moved + sealed, bytes: presentBytes(plan, sink.present) }),
    }
  }

  private async finish(
    live: Live,
    { root, by }: { readonly root: Uint8Array; readonly by: DeviceId },
    { sink, loop, teller }: Work & { readonly teller: Source | undefined },
  ): Promise<void> {
    try {
      await this.complete(live, { sink, root })
    } catch (error) {
      if (!loop.isMixed || by !== live.stored.device || !isSkeinError(error, 'FILE_CHANGED')) throw error
      return await this.beginAnew(live, loop)
    }
    if (live.stored.state !== 'done') return
    if (teller === undefined) return this.deps.teller.wake(live)
    const isTold = await sayOn(teller.link, teller.reader, { stored: live.stored, state: 'done' })
    if (isTold) await this.deps.transfers.change(live, { told: true })
    else this.deps.teller.wake(live)
  }

  /** Somebody sent chunks of something else: from now on only who has offered it is asked (FI41). */
  private async beginAnew(live: Live, loop: Loop): Promise<void> {
    this.deps.logger.warn('file-sources-differ', { transfer: live.stored.id })
    loop.shunsOthers = true
    loop.isMixed = false
    await this.sinks.drop(live.stored.id)
    await this.deps.platform.forget({ id: live.stored.id, folder: live.stored.place })
  }

  /** As Placing.complete. */
  async complete(live: Live, whole: { readonly sink: ContentSink; readonly root: Uint8Array }): Promise<void> {
    if (await this.placing.complete(live, whole)) await this.forget(live)
  }

  /** As Placing.settled. */
  placed(live: Live): Promise<void> {
    return this.placing.settled(live)
  }
}
