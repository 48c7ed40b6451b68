import type { LinkId } from '../neighbour.ts'
import { bound } from '../neighbourhood.ts'

/** Whoever comes again within so long, in milliseconds, is nobody new (ME31); and so many that have gone are remembered. */
export const NEW_AGAIN_MS = 120_000
const MAX_GONE = 64

/** Who is at the other end of a link, and the monotonic time; without it everybody who comes is somebody new. */
export interface Arrival {
  readonly peer: string
  readonly now: number
}

/** What happened while whoever is behind a link was away the last time has a number from `left` on, but below `back`. */
interface Standing {
  readonly number: number
  readonly left: number
  readonly back: number
}

/** Links by number, in the order in which those behind them came first; each coming and going has a number. */
export class LinkNumbers {
  private readonly standings = new Map<LinkId, Standing>()
  private readonly peers = new Map<LinkId, string>()
  private readonly gone = new Map<string, Standing & { readonly until: number }>()
  private last = 0

  up(link: LinkId, arrival?: Arrival): void {
    const before = arrival === undefined ? undefined : this.lately(arrival)
    this.last += 1
    this.standings.set(link, { number: this.last, left: this.last, ...before, back: this.last })
    if (arrival !== undefined) this.peers.set(link, arrival.peer)
  }

  down(link: LinkId, now = 0): void {
    const [peer, standing] = [this.peers.get(link), this.standings.get(link)]
    this.standings.delete(link)
    this.peers.delete(link)
    if (peer === undefined || standing === undefined) return
    this.last += 1
    this.gone.delete(peer)
    this.gone.set(peer, { number: standing.number, left: this.last, back: this.last, until: now + NEW_AGAIN_MS })
    bound(this.gone, MAX_GONE)
  }

  /** The number of the latest coming or going. */
  get latest(): number {
    return this.last
  }

  /** Whether what went over all links at a time, by `latest` then, went over this one as well, or over one before to the same peer. */
  hadPart(link: LinkId, at: number): boolean {
    const standing = this.standings.get(link)
    return standing !== undefined && at >= standing.number && (at < standing.left || at >= standing.back)
  }

  keys(): Iterable<LinkId> {
    return this.standings.keys()
  }

  private lately({ peer, now }: Arrival): Standing | undefined {
    const gone = this.gone.get(peer)
    return gone !== undefined && gone.until > now ? gone : undefined
  }
}
