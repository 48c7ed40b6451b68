/** One device that chunks of a content are fetched from, beside others (FI41). */
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { ChunkRun } from '../wire/files.ts'
import { type ChunkPlan, indicesOf } from './chunk-plan.ts'
import { type Asked, type Fetched, type Fetching, Request } from './fetching.ts'
import type { ContentSink, FileLink } from './file-ports.ts'
import { BULK_FROM_BYTES, RETRY_MS } from './limits.ts'
import type { LinkReader } from './link-reader.ts'
import { Rate } from './rate.ts'
import { RawWay, type RawWayDeps } from './raw-way.ts'

/** A channel to a device on which chunks can be asked for. */
export interface Source {
  readonly link: FileLink
  readonly reader: LinkReader
}

/** Whoever shares out the work. */
export interface LaneHost {
  readonly raw: RawWayDeps
  readonly clock: Pick<Clock, 'monotonic'>
  readonly plan: ChunkPlan
  readonly sink: ContentSink
  /** There is something left to fetch, and nothing has ended it. */
  readonly goesOn: boolean
  /** Bytes that are not there yet. */
  readonly left: number
  open(device: DeviceId): Promise<Source | undefined>
  /** Something for it to do; nothing when others do all there is. */
  take(lane: SourceLane): readonly ChunkRun[]
  release(indices: Iterable<number>): void
  /** What goes into each request, but for the link. */
  fetching(lane: SourceLane, source: Source): Fetching
  /** Until others leave something to it. */
  idle(lane: SourceLane): Promise<void>
  /** It is not connected; until it may try again. */
  rest(lane: SourceLane, ms: number): Promise<void>
  onRoot(lane: SourceLane, root: Uint8Array): void
  /** There is more of a stream than was known of. */
  onGrown(grown: Extract<Fetched, { kind: 'grown' }>): void
  onRefused(lane: SourceLane, refused: Extract<Fetched, { kind: 'refused' }>): void
  onError(lane: SourceLane, error: unknown): void
  /** Nothing is left to do. */
  onDone(): void
}

export class SourceLane {
  readonly device: DeviceId
  /** While it is connected. */
  source: Source | undefined
  /** What it is asked at present. */
  request: Request | undefined
  /** When that began, ms of the monotonic clock. */
  began = 0
  /** Not asked any more. */
  isOut = false
  /** Chunks that have come from it. */
  brought = 0
  private readonly host: LaneHost
  private readonly moves = new Rate()
  private lastRate = 0
  private way: RawWay | undefined

  constructor(host: LaneHost, device: DeviceId, source?: Source) {
    this.host = host
    this.device = device
    this.source = source
  }

  /** Bytes a second, of its last request when it has none; 0 when that is not known. */
  get rate(): number {
    return this.request === undefined ? this.lastRate : this.moves.at(this.host.clock.monotonic())
  }

  /** There may be a raw connection in a moment. */
  get seeksRaw(): boolean {
    return this.way?.isSought === true
  }

  /** Until nothing is left to do. Never throws. */
  async run(): Promise<void> {
    for (let wait: number = RETRY_MS.first; this.host.goesOn && !this.isOut; wait = Math.min(2 * wait, RETRY_MS.most)) {
      const before = this.brought
      await this.serve()
      if (this.brought > before) wait = RETRY_MS.first
      if (this.host.goesOn && !this.isOut) await this.host.rest(this, wait)
    }
    if (!this.host.goesOn) this.host.onDone()
  }

  /** Ends what it does. */
  cut(): void {
    this.request?.hurry()
    this.source?.link.close()
    this.way?.close()
  }

  onMoved(sealed: number): void {
    this.brought += 1
    this.moves.add(sealed, this.host.clock.monotonic())
  }

  private async serve(): Promise<void> {
    try {
      this.source ??= await this.host.open(this.device)
      if (this.source !== undefined && (await this.work(this.source))) return
    } catch (error) {
      this.host.onError(this, error)
    } finally {
      this.way?.close()
      this.way = undefined
    }
    this.source?.link.close()
    this.source = undefined
  }

  /** @returns whether the channel stands */
  private async work(source: Source): Promise<boolean> {
    const { host } = this
    if (host.left >= BULK_FROM_BYTES) this.way = this.rawWay()
    while (host.goesOn && !this.isOut) {
      await this.way?.current()
      const runs = host.goesOn ? host.take(this) : []
      if (runs.length === 0) await host.idle(this)
      else if (!(await this.ask(source, runs))) return false
    }
    return !this.isOut
  }

  private rawWay(): RawWay {
    const { raw, sink } = this.host
    return new RawWay(raw, this.device, { sink, onOpened: () => this.moveOver(), onMissed: () => this.request?.widen() })
  }

  private async ask(source: Source, runs: readonly ChunkRun[]): Promise<boolean> {
    const { host, way } = this
    const raw = way?.now
    const request = new Request({ ...host.fetching(this, source), bulk: raw }, this.askedOf(runs))
    const before = this.brought
    Object.assign(this, { request, began: host.clock.monotonic() })
    let fetched: Fetched | undefined
    try {
      fetched = await request.run()
    } finally {
      this.lastRate = this.rate
      this.request = undefined
      host.release(request.claimed)
      if (raw !== undefined) this.judge(fetched, this.brought > before)
    }
    if (fetched.kind === 'refused') host.onRefused(this, fetched)
    if (fetched.kind === 'complete' && fetched.root.length > 0) host.onRoot(this, fetched.root)
    if (fetched.kind === 'grown') host.onGrown(fetched)
    return isWell(fetched)
  }

  private askedOf(runs: readonly ChunkRun[]): Asked {
    const { plan, sink } = this.host
    const mine = [...indicesOf(runs, plan)].length
    return { runs, partial: mine < plan.count - sink.present.size }
  }

  /** A raw connection that breaks off after it has brought something works: whoever was at its other end may be back. */
  private judge(fetched: Fetched | undefined, hasBrought: boolean): void {
    if (fetched?.kind === 'meddled' || (!isWell(fetched) && !hasBrought)) this.way?.onFailed()
    else this.way?.onWorked()
  }

  /** There is a raw connection by now: what the sender has not begun on the channel comes there. */
  private moveOver(): void {
    const { request, host } = this
    if (request === undefined || request.isRaw || request.spare * host.plan.chunkSize < BULK_FROM_BYTES) return
    host.release(request.shorten(request.spare))
  }
}

/** All that was asked for has come. */
const isWell = (fetched: Fetched | undefined): boolean => fetched?.kind === 'complete' || fetched?.kind === 'grown'
