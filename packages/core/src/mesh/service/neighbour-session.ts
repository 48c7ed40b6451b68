/** One mesh neighbour on one link: frames in and out, within bounds. */
import { isSkeinError } from '../../errors/index.ts'
import type { Clock } from '../../ports/index.ts'
import { decodeNeighbourFrame, encodeNeighbourFrame, type NeighbourFrameFields } from '../../wire/mesh-bundle.ts'
import type { Link } from '../links/index.ts'
import { FrameLink } from '../links/index.ts'
import type { Choice } from '../mesh-node.ts'
import type { LinkId } from '../neighbour.ts'
import { RateLimit } from '../rate-limit.ts'
import { type Allowances, TIMED_OUT_COSTS } from './allowances.ts'

/** Bytes that wait to be sent at most (ME19): beyond, floods are left out, and a link that takes nothing else is given up. */
export const MAX_WAITING_BYTES = 4 * 1_048_576
/** Share of what may wait that floods take, and what the link takes in so many seconds at most (ME19): nobody waits longer for one. */
const FLOODS_WAITING = 1 / 2
const FLOODS_WAIT_SECONDS = 4
/** What a frame weighs that was begun on a reliable link and not ended: as `useless`. */
const ABANDONED_WEIGHT = 100
/** Looks at all that is carried, after a word of the neighbour: each goes through the whole store. */
const LOOK_RATE = { burst: 20, perSecond: 10 } as const
/** Words of routes are shorter, bundles on them longer. */
const SHORT_BYTES = 512

/** What goes first: words, for which somebody waits; then what is handed over; then floods. */
const RANKS = [0, 1, 2] as const
type Rank = (typeof RANKS)[number]

interface Waiting {
  readonly bytes: Uint8Array
  readonly done: (sent: boolean) => void
}
export interface SessionEvents {
  /** @throws SkeinError for a frame that breaks the rules */
  onFrame(session: NeighbourSession, frame: NeighbourFrameFields): void
  onOffence(session: NeighbourSession, code: string): void
}

/** What is handed over. */
export interface OutgoingTransfer {
  readonly choice: Choice
  /** Monotonic milliseconds of the last step. */
  since: number
  /** Whether everything has been sent that the neighbour needs to answer. */
  isAsked: boolean
  /** Encoded bundle that was offered and not asked for yet. */
  offered: Uint8Array | undefined
}

export interface SessionOptions {
  readonly id: LinkId
  /** Who is at the other end, by the link's own word. */
  readonly peer: string
  readonly link: Link
  readonly clock: Clock
  readonly allowances: Allowances
  readonly events: SessionEvents
}

export class NeighbourSession {
  readonly id: LinkId
  readonly peer: string
  readonly link: Link
  /** Milliseconds since 1970. */
  readonly since: number
  bytesIn = 0
  /** Monotonic milliseconds. */
  heardAt: number
  /** When it last brought something new, or came. */
  usefulAt: number
  saidAt: number
  bytesOut = 0
  /** Whether it has been told to go. */
  isClosed = false
  /** What has been handed over and not been answered. */
  transfer: OutgoingTransfer | undefined
  /** There was nothing for it, at a monotonic time, after so many changes of what is here. */
  idle: { readonly changes: number; readonly at: number } | undefined
  /** How often it may have looked for what there is for it. */
  readonly looks: RateLimit
  private readonly frames: FrameLink
  private readonly clock: Clock
  private readonly events: SessionEvents
  private readonly allowances: Allowances
  private readonly queues: Readonly<Record<Rank, Waiting[]>> = { 0: [], 1: [], 2: [] }
  private waiting = 0
  private isSending = false
  private isShed = false

  constructor({ id, peer, link, clock, allowances, events }: SessionOptions) {
    this.id = id
    this.peer = peer
    this.link = link
    this.clock = clock
    this.events = events
    this.since = clock.now()
    this.heardAt = clock.monotonic()
    this.saidAt = this.heardAt
    this.usefulAt = this.heardAt
    this.frames = new FrameLink(link, clock, () => this.useless(ABANDONED_WEIGHT))
    this.allowances = allowances
    this.looks = new RateLimit(LOOK_RATE, this.heardAt)
  }

  /** Reads until the link is gone. */
  async run(): Promise<void> {
    for await (const bytes of this.frames.frames()) {
      this.bytesIn += bytes.length
      this.heardAt = this.clock.monotonic()
      if (this.isWithinRate(bytes.length)) this.take(bytes)
    }
  }

  /** Queues a frame. One that may be lost is left out when too much is waiting already. */
  say(frame: NeighbourFrameFields, { mayBeLost = false }: { readonly mayBeLost?: boolean } = {}): void {
    const bytes = encodeNeighbourFrame(frame)
    const most = mayBeLost ? this.mostFlooded : MAX_WAITING_BYTES
    if (this.waiting === 0 || this.waiting + bytes.length <= most) void this.put(bytes, rankOf(frame, bytes))
    else if (!mayBeLost) this.close()
  }

  /** Queues a frame; resolves when the link has taken it, `false` when it is gone. */
  send(frame: NeighbourFrameFields): Promise<boolean> {
    const bytes = encodeNeighbourFrame(frame)
    return this.put(bytes, rankOf(frame, bytes))
  }

  private get mostFlooded(): number {
    return Math.min(MAX_WAITING_BYTES * FLOODS_WAITING, FLOODS_WAIT_SECONDS * this.link.bandwidth)
  }

  private put(bytes: Uint8Array, rank: Rank): Promise<boolean> {
    this.saidAt = this.clock.monotonic()
    this.waiting += bytes.length
    this.bytesOut += bytes.length
    const sent = new Promise<boolean>((done) => this.queues[rank].push({ bytes, done }))
    if (!this.isSending) void this.pump()
    return sent
  }

  /** One frame after the other, as the link takes them. */
  private async pump(): Promise<void> {
    this.isSending = true
    for (let next = this.next(); next !== undefined; next = this.next()) {
      const sent = await this.transmit(next.bytes)
      this.waiting -= next.bytes.length
      if (!sent) this.close()
      next.done(sent)
    }
    this.isSending = false
  }

  /** A link that fails is as good as gone. */
  private async transmit(bytes: Uint8Array): Promise<boolean> {
    try {
      return await this.frames.send(bytes)
    } catch {
      return false
    }
  }

  private next(): Waiting | undefined {
    const rank = RANKS.find((each) => this.queues[each].length > 0)
    return rank === undefined ? undefined : this.queues[rank].shift()
  }

  close(): void {
    this.isClosed = true
    this.frames.close()
  }

  private take(bytes: Uint8Array): void {
    try {
      this.events.onFrame(this, decodeNeighbourFrame(bytes))
    } catch (error) {
      if (!isSkeinError(error)) throw error
      this.events.onOffence(this, error.code)
    }
  }

  private isWithinRate(bytes: number): boolean {
    if (this.allowances.mayRead(this.peer, bytes)) return true
    if (!this.allowances.mayExceed(this.peer)) this.shed()
    return false
  }

  /** It has begun something and not gone on with it. */
  timedOut(): void {
    this.events.onOffence(this, 'TIMED_OUT')
    if (!this.allowances.mayWaste(this.peer, TIMED_OUT_COSTS)) this.shed()
  }

  /** What came from it was of no use, and as bad as so many copies of what is here already. */
  useless(weight = 1): void {
    if (!this.allowances.useless(this.peer, weight)) this.shed()
  }

  useful(): void {
    this.usefulAt = this.clock.monotonic()
    this.allowances.useful(this.peer)
  }

  /** It has cost more than a neighbour may. */
  private shed(): void {
    // What was under way when it was closed is of no more interest.
    if (this.isShed) return
    this.isShed = true
    this.events.onOffence(this, 'BUDGET_SPENT')
    this.close()
  }
}

/** Words of one kind keep their order. */
function rankOf({ kind }: NeighbourFrameFields, { length }: Uint8Array): Rank {
  if (kind === 'transfer' || kind === 'offer' || kind === 'part') return 1
  return kind === 'route' && length > SHORT_BYTES ? 2 : 0
}
