/**
 * Fetches a content, from several devices at once where several have it (FI41): each chunk is asked of one; who has nothing
 * to do takes over from who has most left; who is far slower, or sends what is wrong, is not asked any more.
 */
import { isSkeinError } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { ChunkRun } from '../wire/files.ts'
import { type ChunkPlan, presentBytes } from './chunk-plan.ts'
import { ChunkShares, passOn } from './chunk-shares.ts'
import { type Fetched, type Fetching, type Refusal, Request } from './fetching.ts'
import type { ContentSink, FileLink } from './file-ports.ts'
import {
  BULK_FROM_BYTES,
  LOOK_AGAIN_MS,
  MAX_SOURCES,
  MAX_WINDOW_BYTES,
  MEASURED_AFTER_MS,
  SHARE_FROM_BYTES,
  SHARED_WINDOW_BYTES,
  WINDOW_BYTES,
} from './limits.ts'
import type { Pace } from './pace.ts'
import type { RawWayDeps } from './raw-way.ts'
import { type LaneHost, type Source, SourceLane } from './source-lane.ts'
import type { Live } from './transfer-book.ts'

export interface ContentFetchDeps {
  readonly raw: RawWayDeps
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly logger: Logger
  readonly primitives: Pick<Primitives, 'hkdfSha256' | 'aesGcmSeal' | 'aesGcmOpen'>
  readonly pace: Pace
}

export interface ContentWish {
  readonly live: Live
  /** Of what is known now. */
  readonly plan: ChunkPlan
  readonly sink: ContentSink
  /** Whoever was asked first. */
  readonly lead: Source
  /** Others that may have it too. */
  readonly others: readonly DeviceId[]
  /** @param signal there is no use for it any more */
  open(device: DeviceId, signal: AbortSignal): Promise<Source | undefined>
  isOwn(device: DeviceId): boolean
  isWanted(): boolean
  /** Sealed bytes that may be on their way on a channel. @param least on short paths */
  window(link: FileLink, least: number): number
  /** A chunk has come: so many sealed bytes. */
  onChunk(sealed: number): void
}

export type ContentOutcome =
  /** All chunks are there; the root of the hash tree, as `by` says. */
  | { readonly kind: 'complete'; readonly root: Uint8Array; readonly by: DeviceId }
  | { readonly kind: 'refused'; readonly outcome: Refusal }
  /** All chunks are there that were known of, and there are more. */
  | Extract<Fetched, { kind: 'grown' }>
  /** Nobody gives more at present. */
  | { readonly kind: 'cut' }

/** Whoever sends such things is not asked again. */
const OFFENCES: readonly string[] = ['BAD_FRAME', 'FRAME_TOO_LARGE', 'SEAL_BROKEN']
/** How much slower than the others a source may be, and for how long it may still take then, ms. */
const SLOWER = { times: 2, ms: 2_000 } as const

export class ContentFetch implements LaneHost {
  readonly plan: ChunkPlan
  readonly sink: ContentSink
  readonly raw: RawWayDeps
  readonly clock: ContentFetchDeps['clock']
  private readonly deps: ContentFetchDeps
  private readonly wish: ContentWish
  private readonly shares: ChunkShares
  private readonly lanes: SourceLane[]
  private readonly over = new AbortController()
  private change = new AbortController()
  private root: { readonly root: Uint8Array; readonly by: DeviceId } | undefined
  private grown: Extract<Fetched, { kind: 'grown' }> | undefined
  private refusal: Refusal | undefined
  private failure: unknown
  private isLeadElsewhere = false
  private isLeftOff = false
  /** Who has offered it has it no longer: other devices of ours do (FI39). */
  isLeft = false

  constructor(deps: ContentFetchDeps, wish: ContentWish) {
    this.deps = deps
    this.wish = wish
    this.raw = deps.raw
    this.clock = deps.clock
    this.plan = wish.plan
    this.sink = wish.sink
    this.shares = new ChunkShares(wish.sink.present)
    const { link } = wish.lead
    const others = this.left < BULK_FROM_BYTES ? [] : wish.others.filter((each) => each !== link.peer).slice(0, MAX_SOURCES - 1)
    this.lanes = [new SourceLane(this, link.peer, wish.lead), ...others.map((each) => new SourceLane(this, each))]
  }

  /** @throws SkeinError what the sink throws; BAD_FRAME, SEAL_BROKEN by whoever has offered it */
  async run(): Promise<ContentOutcome> {
    await Promise.all(this.lanes.map((each) => each.run()))
    const isWhole = this.shares.isDone && this.failure === undefined && this.grown === undefined && this.wish.isWanted()
    const known = isWhole ? (this.root ?? (await this.askRoot())) : undefined
    if (this.failure !== undefined) throw this.failure
    if (this.refusal !== undefined) return { kind: 'refused', outcome: this.refusal }
    // Whoever goes on meanwhile begins anew.
    if (this.grown !== undefined && !this.isLeftOff) return this.grown
    return known === undefined ? { kind: 'cut' } : { kind: 'complete', ...known }
  }

  /** Whether a chunk has come from anybody but who has offered it. */
  get isMixed(): boolean {
    return this.lanes.some((each) => each.brought > 0 && !this.isOfferer(each.device))
  }

  /** Whether whoever was asked first has it not, and nobody else has sent anything. */
  get isElsewhere(): boolean {
    return this.isLeadElsewhere && this.lanes.every(({ brought }) => brought === 0)
  }

  /** The channel to a device, if it stands. */
  sourceOf(device: DeviceId): Source | undefined {
    return this.lanes.find((each) => each.device === device)?.source
  }

  /** Nobody waits any longer. */
  hurry(): void {
    this.change.abort()
    this.change = new AbortController()
  }

  /** No more is asked for; what is under way comes. */
  leaveOff(): void {
    this.isLeftOff = true
    for (const { request } of this.lanes) request?.shorten(request.spare)
    this.end()
  }

  /** A device is reached by another path, or all ends. */
  cut(device?: DeviceId): void {
    for (const each of this.lanes) if (device === undefined || each.device === device) each.cut()
    this.hurry()
  }

  get goesOn(): boolean {
    return !this.over.signal.aborted && !this.shares.isDone && this.wish.isWanted()
  }

  get left(): number {
    return this.plan.size - presentBytes(this.plan, this.sink.present)
  }

  open(device: DeviceId): Promise<Source | undefined> {
    return this.wish.open(device, this.over.signal)
  }

  take(lane: SourceLane): readonly ChunkRun[] {
    const free = this.shares.take(Number.POSITIVE_INFINITY)
    if (free.length > 0) return free
    const busy = this.lanes.filter(({ request }) => request !== undefined)
    const [most] = busy.sort((a, b) => (b.request?.spare ?? 0) - (a.request?.spare ?? 0))
    if (most?.request === undefined) return []
    const count = passOn({ spare: most.request.spare, rate: most.rate }, lane.rate)
    if (count * this.plan.chunkSize < SHARE_FROM_BYTES) return []
    this.shares.release(most.request.shorten(count))
    return this.shares.take(count)
  }

  release(indices: Iterable<number>): void {
    this.shares.release(indices)
    this.hurry()
  }

  fetching(lane: SourceLane, { link, reader }: Source): Fetching {
    const { wish, sink, plan } = this
    const { manifest, stored } = wish.live
    const least = this.lanes.length > 1 ? SHARED_WINDOW_BYTES : WINDOW_BYTES
    const onChunk = (sealed: number): void => {
      lane.onMoved(sealed)
      wish.onChunk(sealed)
    }
    return {
      ...this.deps,
      ...{ link, reader, manifest, plan, sink, onChunk },
      id: stored.id,
      part: 'content',
      handsKey: wish.isOwn(link.peer),
      window: (bulk) => {
        // A thread reads what it has room for, and TCP makes the sender wait.
        if (bulk?.receiver !== undefined) return MAX_WINDOW_BYTES
        // What is on its way on the channel is waited for before the rest moves over.
        if (bulk === undefined && lane.seeksRaw) return SHARED_WINDOW_BYTES
        return bulk?.window ?? wish.window(link, least)
      },
    }
  }

  async idle(lane: SourceLane): Promise<void> {
    if (await this.clock.sleep(LOOK_AGAIN_MS, { signal: this.change.signal })) this.shedSlow(lane)
  }

  async rest(_lane: SourceLane, ms: number): Promise<void> {
    // Whoever looks after the transfer begins anew when nobody is connected.
    if (this.lanes.every(({ source }) => source === undefined)) this.end()
    else await this.clock.sleep(ms, { signal: this.change.signal })
  }

  onRoot(lane: SourceLane, root: Uint8Array): void {
    this.root = { root, by: lane.device }
  }

  onGrown(grown: Extract<Fetched, { kind: 'grown' }>): void {
    this.grown = grown
    this.end()
  }

  onRefused(lane: SourceLane, { outcome }: { readonly outcome: Refusal }): void {
    lane.isOut = true
    const isDoneThere = this.isOfferer(lane.device) && outcome.state === 'done'
    // A stream that others of ours have whole: how much it is comes by mail, and it is looked for there then.
    if (isDoneThere && this.plan.grows) {
      this.end()
      return
    }
    this.isLeft ||= isDoneThere && this.wish.others.some((each) => this.wish.isOwn(each))
    // Who has not offered it cannot end it.
    if (!this.isOfferer(lane.device) || this.isLeft) {
      this.isLeadElsewhere ||= lane === this.lanes[0]
      return
    }
    this.refusal = isDoneThere ? { ...outcome, state: 'failed', code: 'TRANSFER_UNKNOWN' } : outcome
    this.end()
  }

  onError(lane: SourceLane, error: unknown): void {
    const isTheirs = isSkeinError(error) && OFFENCES.includes(error.code) && !this.isOfferer(lane.device)
    lane.isOut = true
    this.deps.logger.warn(isTheirs ? 'file-source-left-out' : 'file-not-fetched', { device: lane.device, reason: String(error) })
    if (isTheirs) return
    this.failure ??= error
    this.end()
    this.cut()
  }

  onDone(): void {
    this.end()
  }

  private end(): void {
    this.over.abort()
    this.hurry()
  }

  private isOfferer(device: DeviceId): boolean {
    return device === this.wish.live.stored.device
  }

  /** What one that has nothing to do could fetch twice while another still waits for it, it fetches. */
  private shedSlow(idle: SourceLane): void {
    const now = this.clock.monotonic()
    for (const each of this.lanes) {
      const { request, rate } = each
      if (each === idle || request === undefined || now - each.began < MEASURED_AFTER_MS) continue
      const bytes = request.outstanding * this.plan.chunkSize
      const mine = (bytes * 1_000) / Math.max(1, idle.rate)
      if (rate > 0 && (bytes * 1_000) / rate <= SLOWER.times * mine + SLOWER.ms) continue
      this.deps.logger.info('slow-file-source-left-out', { device: each.device, rate })
      each.isOut = true
      each.cut()
    }
  }

  /** Of who has offered it rather than of others. */
  private async askRoot(): Promise<{ readonly root: Uint8Array; readonly by: DeviceId } | undefined> {
    const offerer = this.lanes.find(({ device }) => this.isOfferer(device))
    const others = this.lanes.filter((each) => each !== offerer && each.source !== undefined)
    for (const lane of [...(offerer === undefined ? [] : [offerer]), ...others]) {
      lane.source ??= await this.wish.open(lane.device, new AbortController().signal)
      const root = lane.source === undefined ? undefined : await this.rootFrom(lane, lane.source)
      if (root !== undefined) return { root, by: lane.device }
      if (this.refusal !== undefined || this.failure !== undefined || this.grown !== undefined) return undefined
    }
    return undefined
  }

  private async rootFrom(lane: SourceLane, source: Source): Promise<Uint8Array | undefined> {
    try {
      const fetched = await new Request(this.fetching(lane, source), { runs: [], partial: false }).run()
      if (fetched.kind === 'refused') this.onRefused(lane, fetched)
      if (fetched.kind === 'grown') this.onGrown(fetched)
      return fetched.kind === 'complete' ? fetched.root : undefined
    } catch (error) {
      this.onError(lane, error)
      return undefined
    }
  }
}
