import type { MeshAddress } from '../bundle.ts'
import type { LinkId } from '../neighbour.ts'
import type { LinkNumbers } from './link-numbers.ts'

/** One way towards an address. */
export interface Route {
  readonly link: LinkId
  /** Hops to the recipient over this link, its own included. */
  readonly hops: number
  /** Monotonic milliseconds: last time a receipt came back over it. */
  readonly provenAt: number
  /** Share of tries that were answered, the latest counting most. */
  readonly quality: number
  /** What a byte costs on that link: 0 is nothing, 1 is a metered or battery-hungry radio. */
  readonly price: number
  /** `LinkNumbers.latest` when another way was looked for beside this one; 0 is never. */
  readonly looked: number
  /** Monotonic milliseconds: when that was. */
  readonly lookedAt: number
}

/** Addresses with routes, at most (ME15); those proven longest ago go first. */
export const MAX_ROUTED = 4_096
/** Ways kept to one address: the best, and others to turn to. */
export const MAX_WAYS = 3
/** A route that has not been proven for so long is forgotten: people move. */
export const ROUTE_LIFE_MS = 60_000
/** Beyond the neighbours others come and go, unseen from here: another way is looked for again after so long (ME31). */
export const LOOK_BEYOND_MS = 300_000
/** Below this quality a route is not used any more. */
const LOWEST_QUALITY = 0.4
/** Weight of the latest try. */
const LATEST = 0.5

/** So many more hops are taken rather than a link that costs 1. */
const HOPS_WORTH = 3

/** Another way to an address is looked for once in so long, milliseconds (ME31): who looks, floods what a known way kept from others. */
export const LOOK_EVERY_MS = 60_000

/** What a receipt has proven. */
export interface Proof extends Pick<Route, 'link' | 'hops'> {
  readonly now: number
  readonly price?: number
  /** As `Route.looked`, for a way that is new or was found by looking. */
  readonly looked?: number
  readonly isFound?: boolean
  /** Ways known before may lead over the same nodes, and are forgotten. */
  readonly isAnew?: boolean | undefined
}

/** Next hops by address, as receipts have taught them. */
export class RouteTable {
  private readonly ways = new Map<MeshAddress, readonly Route[]>()
  /** When another way was looked for last, those first that were looked for longest ago. */
  private readonly lookedAt = new Map<MeshAddress, number>()

  /** The best way now, not back over `except`. */
  best(address: MeshAddress, now: number, except?: LinkId): Route | undefined {
    return this.usable(address, now).find(({ link }) => link !== except)
  }

  /** Ways that work, each over a link of its own, the best first. */
  usable(address: MeshAddress, now: number): readonly Route[] {
    return this.of(address, now)
      .filter(({ quality }) => quality >= LOWEST_QUALITY)
      .toSorted((a, b) => cost(a) - cost(b))
  }

  /** A receipt has come back over a link. */
  prove(address: MeshAddress, { link, hops, now, price = 0, looked = 0, isFound = false, isAnew = false }: Proof): void {
    const ways = this.of(address, now)
    const before = ways.find((way) => way.link === link) ?? { quality: 1, looked, lookedAt: now }
    const quality = before.quality + LATEST * (1 - before.quality)
    const last = isFound ? { looked, lookedAt: now } : { looked: before.looked, lookedAt: before.lookedAt }
    const proven = { link, hops, provenAt: now, price, quality, ...last }
    const others = isAnew ? [] : ways.filter((way) => way.link !== link).sort((a, b) => cost(a) - cost(b))
    // Moves the address to the end, so that the first one is the one proven longest ago.
    this.ways.delete(address)
    this.ways.set(address, [proven, ...others].slice(0, MAX_WAYS))
    const [first] = this.ways.keys()
    if (this.ways.size > MAX_ROUTED && first !== undefined) this.ways.delete(first)
  }

  /** Nothing came back over a link in time. */
  fail(address: MeshAddress, link: LinkId): void {
    const ways = this.ways.get(address) ?? []
    this.set(
      address,
      ways.map((way) => (way.link === link ? { ...way, quality: way.quality * LATEST } : way)),
    )
  }

  /** Whether one way alone is known, and another was looked for long ago, or links have come since; then it counts as looked for over all of them. */
  looks(address: MeshAddress, { links, now }: { readonly links: LinkNumbers; readonly now: number }): boolean {
    const [only, other] = this.usable(address, now)
    if (only === undefined || other !== undefined || this.hasLooked(address, now)) return false
    const others = [...links.keys()].filter((link) => link !== only.link)
    const isDue = others.some((link) => !links.hadPart(link, only.looked)) || (others.length > 0 && now - only.lookedAt >= LOOK_BEYOND_MS)
    if (!isDue) return false
    this.set(
      address,
      this.of(address, now).map((way) => ({ ...way, looked: links.latest, lookedAt: now })),
    )
    this.lookedAt.set(address, now)
    return true
  }

  private hasLooked(address: MeshAddress, now: number): boolean {
    for (const [each, at] of this.lookedAt) {
      if (now - at < LOOK_EVERY_MS) break
      this.lookedAt.delete(each)
    }
    return this.lookedAt.has(address)
  }

  /** A link is gone, and every way over it. */
  drop(link: LinkId): void {
    for (const [address, ways] of this.ways)
      this.set(
        address,
        ways.filter((way) => way.link !== link),
      )
  }

  /** All ways that work, the best of each address first. */
  *all(now: number): Iterable<readonly [MeshAddress, readonly Route[]]> {
    for (const address of this.ways.keys()) {
      const usable = this.usable(address, now)
      if (usable.length > 0) yield [address, usable]
    }
  }

  /** Forgets addresses whose last proof is too long ago. */
  expire(now: number): void {
    for (const address of this.ways.keys()) {
      if (this.of(address, now).length > 0) return
      this.ways.delete(address)
    }
  }

  get size(): number {
    return this.ways.size
  }

  private of(address: MeshAddress, now: number): readonly Route[] {
    return (this.ways.get(address) ?? []).filter(({ provenAt }) => now - provenAt < ROUTE_LIFE_MS)
  }

  private set(address: MeshAddress, ways: readonly Route[]): void {
    if (ways.length === 0) this.ways.delete(address)
    else this.ways.set(address, ways)
  }
}

function cost({ hops, quality, price }: Route): number {
  return (hops + HOPS_WORTH * price) / quality
}
