/** One mesh neighbour on one link: frames in and out, within bounds. */
import { isSkeinError } from '../../errors/index.ts'
import type { Clock } from '../../ports/index.ts'
import { decodeNeighbourFrame, encodeNeighbourFrame, type NeighbourFrameFields } from '../../wire/mesh-bundle.ts'
import type { Link } from '../links/index.ts'
import { FrameLink } from '../links/index.ts'
import type { Choice } from '../mesh-node.ts'
import type { LinkId } from '../neighbour.ts'
import { type Rate, RateLimit } from '../rate-limit.ts'
import { Refusals } from './refusals.ts'

/** Bytes that wait to be sent at most (ME19): beyond, floods are left out, and a link that takes nothing else is given up. */
export const MAX_WAITING_BYTES = 4 * 1_048_576
/** Frames a neighbour may send at once and per second (ME19). */
export const FRAME_RATE = { burst: 2_000, perSecond: 500 } as const
/** Bytes a neighbour may send at once and per second (ME19): a fast LAN with files on it stays below. */
export const BYTE_RATE = { burst: 32 * 1_048_576, perSecond: 16 * 1_048_576 } as const
/** Share of these rates that is passed on to all others of what one neighbour floods (ME37): nobody uses up what its neighbours may send. */
const FLOOD_SHARE = 1 / 8
/** Share of what may wait that floods take. */
const FLOODS_WAITING = 1 / 2
/** Frames beyond the rate that are forgotten per second. */
const FORGIVEN_PER_SECOND = 50
/** Frames beyond the rate after which the neighbour is shed (ME19). */
export const MAX_EXCESS = 1_000

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
  saidAt: number
  bytesOut = 0
  /** What has been handed over and not been answered. */
  transfer: OutgoingTransfer | undefined
  readonly refusals = new Refusals()
  private readonly frames: FrameLink
  private readonly clock: Clock
  private readonly events: SessionEvents
  private readonly frameRate: RateLimit
  private readonly byteRate: RateLimit
  private readonly floods: { readonly frames: RateLimit; readonly bytes: RateLimit }
  private readonly excess: RateLimit
  private waiting = 0

  constructor({ id, peer, link, clock, events }: SessionOptions) {
    this.id = id
    this.peer = peer
    this.link = link
    this.clock = clock
    this.events = events
    this.since = clock.now()
    this.heardAt = clock.monotonic()
    this.saidAt = this.heardAt
    this.frames = new FrameLink(link, clock)
    this.frameRate = new RateLimit(FRAME_RATE, clock.monotonic())
    this.byteRate = new RateLimit(BYTE_RATE, clock.monotonic())
    this.floods = { frames: new RateLimit(shareOf(FRAME_RATE), this.heardAt), bytes: new RateLimit(shareOf(BYTE_RATE), this.heardAt) }
    this.excess = new RateLimit({ burst: MAX_EXCESS, perSecond: FORGIVEN_PER_SECOND }, this.heardAt)
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
    const most = mayBeLost ? MAX_WAITING_BYTES * FLOODS_WAITING : MAX_WAITING_BYTES
    if (this.waiting + bytes.length <= most) void this.put(bytes)
    else if (!mayBeLost) this.close()
  }

  /** Queues a frame; resolves when the link has taken it, `false` when it is gone. */
  send(frame: NeighbourFrameFields): Promise<boolean> {
    return this.put(encodeNeighbourFrame(frame))
  }

  private async put(bytes: Uint8Array): Promise<boolean> {
    this.saidAt = this.clock.monotonic()
    this.waiting += bytes.length
    this.bytesOut += bytes.length
    const sent = await this.frames.send(bytes)
    this.waiting -= bytes.length
    if (!sent) this.close()
    return sent
  }

  close(): void {
    this.frames.close()
  }

  /** Whether a flood of so many bytes that came from here may go on to all others. */
  mayFlood(bytes: number): boolean {
    const now = this.clock.monotonic()
    return this.floods.frames.takes(1, now) && this.floods.bytes.takes(bytes, now)
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
    const now = this.clock.monotonic()
    if (this.frameRate.takes(1, now) && this.byteRate.takes(bytes, now)) return true
    if (!this.excess.takes(1, now)) {
      this.events.onOffence(this, 'BUDGET_SPENT')
      this.close()
    }
    return false
  }
}

function shareOf({ burst, perSecond }: Rate): Rate {
  return { burst: burst * FLOOD_SHARE, perSecond: perSecond * FLOOD_SHARE }
}
