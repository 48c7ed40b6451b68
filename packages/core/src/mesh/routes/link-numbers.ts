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

/** Links by number, in the order in which those behind them came first. */
export class LinkNumbers {
  private readonly numbers = new Map<LinkId, number>()
  private readonly peers = new Map<LinkId, string>()
  private readonly gone = new Map<string, { readonly number: number; readonly until: number }>()
  private last = 0

  up(link: LinkId, arrival?: Arrival): void {
    const before = arrival === undefined ? undefined : this.lately(arrival)
    if (before === undefined) this.last += 1
    this.numbers.set(link, before ?? this.last)
    if (arrival !== undefined) this.peers.set(link, arrival.peer)
  }

  down(link: LinkId, now = 0): void {
    const [peer, number] = [this.peers.get(link), this.numbers.get(link)]
    this.numbers.delete(link)
    this.peers.delete(link)
    if (peer === undefined || number === undefined) return
    this.gone.delete(peer)
    this.gone.set(peer, { number, until: now + NEW_AGAIN_MS })
    bound(this.gone, MAX_GONE)
  }

  /** The number of the latest link there has been. */
  get latest(): number {
    return this.last
  }

  get all(): ReadonlyMap<LinkId, number> {
    return this.numbers
  }

  keys(): Iterable<LinkId> {
    return this.numbers.keys()
  }

  private lately({ peer, now }: Arrival): number | undefined {
    const gone = this.gone.get(peer)
    return gone !== undefined && gone.until > now ? gone.number : undefined
  }
}
