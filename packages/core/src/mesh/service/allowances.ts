/** What each neighbour may send and cost, whether its link is a new one or an old one. */
import type { Clock } from '../../ports/index.ts'
import { bound } from '../neighbourhood.ts'
import { NamedRates, type Rate } from '../rate-limit.ts'

/** Frames a neighbour may send at once and per second (ME19). */
export const FRAME_RATE = { burst: 2_000, perSecond: 500 } as const
/** Bytes a neighbour may send at once and per second (ME19): a fast LAN with files on it stays below. */
export const BYTE_RATE = { burst: 32 * 1_048_576, perSecond: 16 * 1_048_576 } as const
/** Share of these rates that is passed on to all others of what one neighbour floods (ME37): nobody uses up what its neighbours may send. */
const FLOOD_SHARE = 1 / 8
/** Frames beyond the rate that are forgotten per second. */
const FORGIVEN_PER_SECOND = 50
/** Frames beyond the rate after which the neighbour is shed (ME19). */
export const MAX_EXCESS = 1_000
/** Links that one neighbour may bring up at once, and per second (ME19): each costs a greeting, and a look at all that waits. */
export const LINK_RATE = { burst: 10, perSecond: 1 / 5 } as const
/** What one neighbour may cost others in vain at once, and per second (ME41), in points. */
export const WASTE_RATE = { burst: 100, perSecond: 1 / 6 } as const
/** Points for what was begun and came to nothing within its time (ME41). */
export const TIMED_OUT_COSTS = 20

/** So much that was of no use, one thing counting for one, is a waste (ME41). */
export const MOST_IN_VAIN = 1_000
const IN_VAIN_COSTS = 20
/** What one thing of use makes up for (ME41): an honest neighbour brings some six copies with each new one, and nobody five hundred. */
const MADE_UP_FOR = 50
/** Peers whose rows are remembered; the first ones are forgotten. */
const MAX_ROWS = 1_024

/** By peer: a neighbour that goes and comes again finds what it has left. */
export class Allowances {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly frames = new NamedRates(FRAME_RATE)
  private readonly bytes = new NamedRates(BYTE_RATE)
  private readonly excess = new NamedRates({ burst: MAX_EXCESS, perSecond: FORGIVEN_PER_SECOND })
  private readonly floods = { frames: new NamedRates(shareOf(FRAME_RATE)), bytes: new NamedRates(shareOf(BYTE_RATE)) }
  private readonly links = new NamedRates(LINK_RATE)
  private readonly waste = new NamedRates(WASTE_RATE)
  private readonly inVain = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock
  }

  /** Whether a frame of so many bytes is read. */
  mayRead(peer: string, bytes: number): boolean {
    const { now } = this
    return this.frames.of(peer, now).takes(1, now) && this.bytes.of(peer, now).takes(bytes, now)
  }

  /** Whether one frame more than may be read is borne with. */
  mayExceed(peer: string): boolean {
    return this.excess.of(peer, this.now).takes(1, this.now)
  }

  /** Whether a flood of so many bytes may go on to all others. */
  mayFlood(peer: string, bytes: number): boolean {
    const { now } = this
    return this.floods.frames.of(peer, now).takes(1, now) && this.floods.bytes.of(peer, now).takes(bytes, now)
  }

  /** Whether it may be a neighbour now: not too often, and not while it has wasted too much. */
  mayAttach(peer: string): boolean {
    const { now } = this
    return this.waste.of(peer, now).wait(TIMED_OUT_COSTS, now) === 0 && this.links.of(peer, now).takes(1, now)
  }

  /** Whether it is borne with that so much was in vain. */
  mayWaste(peer: string, points: number): boolean {
    return this.waste.of(peer, this.now).takes(points, this.now)
  }

  /** Something came that was of no use. @returns whether that is borne with */
  useless(peer: string, weight: number): boolean {
    const row = (this.inVain.get(peer) ?? 0) + weight
    this.inVain.delete(peer)
    if (row >= MOST_IN_VAIN) return this.mayWaste(peer, IN_VAIN_COSTS)
    this.inVain.set(peer, row)
    bound(this.inVain, MAX_ROWS)
    return true
  }

  /** Something came that was of use: it makes up for some of what was not, and not for all of it. */
  useful(peer: string): void {
    const row = (this.inVain.get(peer) ?? 0) - MADE_UP_FOR
    if (row > 0) this.inVain.set(peer, row)
    else this.inVain.delete(peer)
  }

  private get now(): number {
    return this.clock.monotonic()
  }
}

function shareOf({ burst, perSecond }: Rate): Rate {
  return { burst: burst * FLOOD_SHARE, perSecond: perSecond * FLOOD_SHARE }
}
