/**
 * Live delivery as a state machine: while a path exists, the first bundle for an address floods within its hop limit, the
 * receipt goes back the way the bundle came and teaches everybody on it the next hop, and later bundles follow. Whoever
 * made a bundle and hears nothing tries again by flood. What finds no path is left to be carried.
 */
import { SkeinError } from '../../errors/index.ts'
import type { Primitives, Random } from '../../ports/index.ts'
import {
  decodeRouteFrame,
  encodeRouteFrame,
  type RouteForwardFields,
  type RouteNoticeFields,
  type RouteReceiptFields,
  type RouteSearchFields,
} from '../../wire/mesh-route.ts'
import { type BundleKey, MAX_HOPS, type MeshAddress } from '../bundle.ts'
import { cureLock } from '../cure-book.ts'
import type { LinkId } from '../neighbour.ts'
import { FloodBook } from './flood-book.ts'
import { type Arrival, LinkNumbers } from './link-numbers.ts'
import { type Passage, PassageBook } from './passage-book.ts'
import { SharedAir } from './shared-air.ts'
import { HEAVY_ATTEMPTS, isHeavy, mayLook, PATIENCE_MS, patienceFor } from './patience.ts'
import { MAX_WAYS, type Route, ROUTE_LIFE_MS, RouteTable } from './route-table.ts'

/** What is to be delivered; `payload` may be empty where only the way is looked for. */
export interface Dispatch {
  readonly key: BundleKey
  readonly address: MeshAddress
  /** Hex, 32 digits. */
  readonly lock: string
  readonly payload: Uint8Array
  /** Not to be flooded: too large. */
  readonly byRouteOnly?: boolean
  /** It has been looked for in vain before, and will be later: one flood at a time is enough. */
  readonly isAgain?: boolean
  /** The way it is to go at first, while that is known. */
  readonly over?: LinkId | undefined
}

export type Verdict = 'sound' | 'late' | 'other-time' | 'forged'

export interface RouteNodeOptions {
  readonly addresses: ReadonlySet<MeshAddress>
  readonly primitives: Pick<Primitives, 'sha256'>
  /** For waiting where air is shared; without it nobody waits. */
  readonly random?: Random
  send(link: LinkId, frame: Uint8Array): void
  /** What a bundle that wants to pass is: what is forged is refused with BAD_FRAME, what comes too late is left, for clocks differ; nobody is blamed for what only seems so by a clock that is wrong here. */
  verdict(dispatch: Dispatch, from: LinkId): Verdict
  /** Whether a sound bundle is part of a file, which is never flooded. */
  isChunk?(dispatch: Dispatch): boolean
  /** Whether what has come over this link, `bytes` of it, may be passed on to all others; without it everything may. */
  mayFlood?(from: LinkId, bytes: number): boolean
  /** What came over this link was here already, came too late, or was announced and never given. */
  useless?(link: LinkId): void
  /** Something new came over this link, or a proof that was waited for. */
  useful?(link: LinkId): void
  /** Whether a bundle that is announced is carried here already, and so was let loose on this side. */
  isHeld?(key: BundleKey): boolean
  /** What a byte costs on a link, as `Link.cost`; without it nothing. */
  costOf?(link: LinkId): number
  /** As `Link.isShared`; without it none is. */
  isShared?(link: LinkId): boolean
  /** A bundle has come for this node; returns the key of its lock if it is known at once, else `opened` follows. */
  arrived(dispatch: Dispatch, from: LinkId): Uint8Array | undefined
  /** A receipt has come by that opens the lock of its bundle. */
  proven(cureKey: Uint8Array): void
  /** The receipt of a bundle made here has come back. */
  delivered(key: BundleKey): void
  /** No way was found; the bundle is left to be carried. */
  stranded(key: BundleKey): void
}

interface Pending extends Omit<Dispatch, 'over'> {
  readonly attempt: number
  /** The link it went over, if by a route. */
  readonly over: LinkId | undefined
  /** It floods although a way is known, to find another. */
  readonly isLook: boolean
  /** `LinkNumbers.latest` when it went: over later ones it has not looked. */
  readonly latest: number
  readonly dueAt: number
}

/** Tries by flood after a route has failed, or when there was none. */
const MOST_ATTEMPTS = 4
/** Another way that was not proven for so long gets a message, before it is forgotten (ME31). */
const PROVE_AGAIN_MS = ROUTE_LIFE_MS / 2
/** Where a passage comes from that began here: receipts end with it. */
const HERE: LinkId = ''
/** Bundles waiting for receipts at once (ME15). */
const MAX_PENDING = 1_024

export class RouteNode {
  private readonly options: RouteNodeOptions
  private readonly table = new RouteTable()
  private readonly passages = new PassageBook()
  private readonly links = new LinkNumbers()
  private readonly floods = new FloodBook()
  private readonly air = new SharedAir()
  private readonly pending = new Map<BundleKey, Pending>()

  constructor(options: RouteNodeOptions) {
    this.options = options
  }

  linkUp(link: LinkId, arrival?: Arrival): void {
    this.links.up(link, arrival)
  }

  /** @param now as `Arrival.now` */
  linkDown(link: LinkId, now?: number): void {
    this.links.down(link, now)
    this.table.drop(link)
    this.floods.drop(link)
    this.air.drop(link)
  }

  /** Whether a bundle that was announced is waited for, or one waits to be passed on: then `tick` is called for every 20 milliseconds. */
  get isWaiting(): boolean {
    return this.floods.isWaiting || this.air.isWaiting
  }

  /** A bundle that had come for this node has been opened: its receipt goes back the way it came. */
  opened(key: string, cureKey: Uint8Array): void {
    const passage = this.passages.get(key)
    if (passage === undefined) return
    passage.cureKey = cureKey
    this.back(passage.ways, { key, cureKey, hops: 0, search: false })
    this.back(passage.otherWays ?? [], { key, cureKey, hops: 0, search: true })
  }

  /** As `opened`, for all that came behind one lock: pieces of a whole. */
  openedBehind(lock: string, cureKey: Uint8Array): void {
    for (const key of [...this.passages.unopened(lock)]) this.opened(key, cureKey)
  }

  /** Next hops that work, the best first. */
  routes(now: number): Iterable<readonly [MeshAddress, readonly Route[]]> {
    return this.table.all(now)
  }

  /** Ways there that work, each over a link of its own, the best first. */
  ways(address: MeshAddress, now: number): readonly Route[] {
    return this.table.usable(address, now)
  }

  /** Whether a way there is known that works. */
  leadsTo(address: MeshAddress, now: number): boolean {
    return this.table.best(address, now) !== undefined
  }

  /** Sends a bundle by the best route, or by flood. */
  dispatch(dispatch: Dispatch, now: number): void {
    if (this.pending.size >= MAX_PENDING) this.options.stranded(dispatch.key)
    else this.attempt(dispatch, { attempt: 1, now })
  }

  /**
   * Lets a bundle that is carried here flood once, over all links or over one that has just come up: whoever it leads to
   * may be its recipient. Over one link it is only named: the other side knows most of it after a short interruption.
   */
  explore(dispatch: Dispatch, { link, now }: { readonly link?: LinkId; readonly now: number }): void {
    const { key, address, lock, payload } = dispatch
    if (this.pending.has(key)) return
    const attempt = (this.passages.get(key)?.attempt ?? 0) + 1
    const frame = { kind: 'forward', key, address, lock, payload, attempt, hopLimit: MAX_HOPS, flood: true } as const
    if (this.passages.open(frame, { from: HERE, now }) === undefined) return
    if (link === undefined) this.flood(frame, { from: HERE, now })
    else this.name(link, frame, now)
  }

  /** Tries again what was not answered in time. Call it at least ten times a second while something is waiting. */
  tick(now: number): void {
    for (const { frame, links } of this.air.due(now)) this.spread(frame, links)
    for (const waiting of this.pending.values()) {
      if (now < waiting.dueAt) continue
      if (waiting.over !== undefined) this.table.fail(waiting.address, waiting.over)
      this.pending.delete(waiting.key)
      if (waiting.attempt < (isHeavy(waiting) ? HEAVY_ATTEMPTS : MOST_ATTEMPTS) && !(waiting.isAgain && waiting.over === undefined))
        this.attempt({ ...waiting, over: undefined }, { attempt: waiting.attempt + 1, now })
      else this.options.stranded(waiting.key)
    }
    for (const { key, link } of this.floods.missing(now, (idle) => this.options.useless?.(idle))) this.notify(link, key, 'wanted')
    this.table.expire(now)
    for (const { address, over } of this.passages.unanswered(now)) if (over !== undefined) this.table.fail(address, over)
  }

  /** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
  frame(link: LinkId, bytes: Uint8Array, now: number): void {
    const frame = decodeRouteFrame(bytes)
    if (frame.kind === 'receipt') this.receipt(link, frame, now)
    else if (frame.kind === 'notice') this.notice(link, frame, now)
    else if (frame.kind === 'search') this.search(link, frame)
    else this.forward(link, frame, now)
  }

  private attempt(dispatch: Dispatch & { readonly isLook?: boolean }, { attempt: tries, now }: { attempt: number; now: number }): void {
    const { key, address, lock, payload, byRouteOnly = false, isAgain = false } = dispatch
    const isLook = dispatch.isLook ?? (mayLook(dispatch) && this.table.looks(address, { links: this.links, now }))
    const over = !isLook && (tries === 1 || byRouteOnly) ? this.wayFor(dispatch, now) : undefined
    if (byRouteOnly && over === undefined) {
      this.options.stranded(key)
      return
    }
    const flood = over === undefined
    // Whoever carries it would not ask for it, and so pass on no word of it.
    const attempt = isAgain && flood ? Math.max(2, tries) : tries
    const patience = byRouteOnly || isHeavy(dispatch) ? patienceFor(payload) : PATIENCE_MS
    const dueAt = now + patience * 2 ** ((isAgain && flood ? MOST_ATTEMPTS : attempt) - 1)
    this.pending.set(key, { key, address, lock, payload, byRouteOnly, isAgain, attempt, over, isLook, latest: this.links.latest, dueAt })
    this.pass({ kind: 'forward', key, address, lock, payload, attempt, hopLimit: MAX_HOPS, flood }, { over, from: HERE, now })
  }

  private forward(link: LinkId, frame: RouteForwardFields, now: number): void {
    this.air.heard(frame.key, link)
    if (this.pending.has(frame.key as BundleKey) || !this.passages.isNew(frame)) {
      if (frame.flood) this.notify(link, frame.key, 'surplus')
      this.options.useless?.(link)
      return
    }
    const verdict = this.options.verdict(dispatchOf(frame), link)
    if (verdict === 'forged') throw new SkeinError('BAD_FRAME', 'A bundle on its way is not what it claims to be.')
    if (verdict === 'late' || verdict === 'other-time') {
      this.floods.arrived(frame.key)
      if (verdict === 'late') this.options.useless?.(link)
      return
    }
    const isChunk = this.options.isChunk?.(dispatchOf(frame)) ?? false
    if (isChunk && frame.flood) throw new SkeinError('BAD_FRAME', 'Part of a file is flooded.')
    const isMine = this.options.addresses.has(frame.address as MeshAddress)
    const patience = isChunk ? { patienceMs: patienceFor(frame.payload) } : {}
    const passage = this.passages.open(frame, { from: link, now, isMine, ...patience })
    if (passage === undefined) return
    this.options.useful?.(link)
    this.floods.arrived(frame.key)
    if (isMine) this.answer(link, frame)
    if (isMine || frame.hopLimit <= 1) return
    const route = frame.flood ? undefined : this.table.best(frame.address as MeshAddress, now, link)
    // A route that ends here in the middle goes on by flood: it is quicker than to let its maker find out.
    passage.over = route?.link
    if (route === undefined && (isChunk || this.options.mayFlood?.(link, frame.payload.length) === false)) return
    const hopLimit = Math.min(frame.hopLimit, MAX_HOPS) - 1
    this.pass({ ...frame, hopLimit, flood: route === undefined }, { over: route?.link, from: link, now })
  }

  private pass(frame: RouteForwardFields, { over, ...how }: { over: LinkId | undefined; from: LinkId; now: number }): void {
    if (over === undefined) this.flood(frame, how)
    else this.options.send(over, encodeRouteFrame(frame))
  }

  /**
   * The bundle itself to those who are likely to lack it, a word to the others, and first of all a word where bytes cost something or are many;
   * to all when the first try has failed.
   */
  private flood(frame: RouteForwardFields, { from, now }: { from: LinkId; now: number }): void {
    this.floods.keep(frame.key, { bytes: encodeRouteFrame(frame), hop: MAX_HOPS - frame.hopLimit, at: now })
    const { random, isShared } = this.options
    const others = [...this.links.keys()].filter((link) => link !== from)
    const shared = from === HERE || frame.attempt > 1 || random === undefined ? [] : others.filter((link) => isShared?.(link))
    const waits = random !== undefined && shared.length > 0 && this.air.wait(frame, shared, { now, random })
    this.spread(frame, waits ? others.filter((link) => !shared.includes(link)) : others)
  }

  private spread(frame: RouteForwardFields, links: Iterable<LinkId>): void {
    const bytes = encodeRouteFrame(frame)
    const hop = MAX_HOPS - frame.hopLimit
    for (const link of links) {
      const sends =
        frame.attempt > 1 || (!isHeavy(frame) && (this.options.costOf?.(link) ?? 0) === 0 && this.floods.isWorthSending(hop, link))
      this.floods.count(hop, link, sends ? 0 : 1)
      if (sends) this.options.send(link, bytes)
      else this.announce(link, frame.key)
    }
  }

  /** Not counted as a flood: what was carried before says nothing of what is new. */
  private name(link: LinkId, frame: RouteForwardFields, now: number): void {
    this.floods.keep(frame.key, { bytes: encodeRouteFrame(frame), hop: undefined, at: now })
    this.announce(link, frame.key)
  }

  private announce(link: LinkId, key: string): void {
    this.floods.name(key, link)
    this.notify(link, key, 'here')
  }

  private notify(link: LinkId, key: string, says: RouteNoticeFields['says']): void {
    this.options.send(link, encodeRouteFrame({ kind: 'notice', key, says }))
  }

  private notice(link: LinkId, { key, says }: RouteNoticeFields, now: number): void {
    if (says === 'here') this.air.heard(key, link)
    if (says === 'here' && !this.isKnown(key as BundleKey)) this.floods.announced(key, { link, now })
    if (says === 'surplus') this.floods.correct(key, link, 1)
    if (says === 'wanted') this.give(link, key, now)
  }

  /** A few bytes bring many: not for what was given already, or never named here. */
  private give(link: LinkId, key: string, now: number): void {
    const bytes = this.floods.asked(key, { link, now })
    if (bytes === undefined) {
      this.options.useless?.(link)
      return
    }
    this.floods.correct(key, link, -1)
    this.options.send(link, bytes)
  }

  private isKnown(key: BundleKey): boolean {
    return this.pending.has(key) || this.passages.get(key) !== undefined || this.options.isHeld?.(key) === true
  }

  private answer(link: LinkId, frame: RouteForwardFields): void {
    const cureKey = this.options.arrived(dispatchOf(frame), link)
    if (cureKey !== undefined) this.opened(frame.key, cureKey)
  }

  /**
   * A search has come to its end over one more link. Everybody lets one receipt of it back, so that those which reach the
   * maker over different links have come over different nodes all the way (ME31).
   */
  private otherWay(link: LinkId, key: string): void {
    const passage = this.passages.get(key)
    const others = passage?.otherWays
    if (passage === undefined || others === undefined || link === passage.from || others.has(link) || others.size >= MAX_WAYS - 1) return
    others.add(link)
    if (passage.cureKey !== undefined) this.back([link], { key, cureKey: passage.cureKey, hops: 0, search: true })
  }

  /** A flood has found a way: is there another, over nobody who is on that one? */
  private lookFurther({ key, address, attempt }: Pending, found: LinkId, now: number): void {
    if (this.table.usable(address, now).length > 1) return
    const bytes = encodeRouteFrame({ kind: 'search', key, attempt: attempt + 1, hopLimit: MAX_HOPS })
    for (const link of this.links.keys()) if (link !== found) this.options.send(link, bytes)
  }

  /** Those whom the receipt of the first way has passed, and whoever does not know the bundle, let it end here (ME31). */
  private search(from: LinkId, frame: RouteSearchFields): void {
    const { key, attempt, hopLimit } = frame
    const before = this.passages.get(key)
    if (before?.otherWays !== undefined) this.otherWay(from, key)
    if (before?.otherWays !== undefined || before === undefined || before.answered || before.search !== undefined) return
    if (attempt <= before.attempt || attempt > MOST_ATTEMPTS + 1) return
    // Beside the way back of the bundle itself: nobody turns that to himself with twenty bytes.
    before.search = from
    if (hopLimit <= 1) return
    const bytes = encodeRouteFrame({ kind: 'search', key, attempt, hopLimit: Math.min(hopLimit, MAX_HOPS) - 1 })
    for (const link of this.links.keys()) if (link !== from) this.options.send(link, bytes)
  }

  private back(ways: Iterable<LinkId>, receipt: Omit<RouteReceiptFields, 'kind'>): void {
    const bytes = encodeRouteFrame({ kind: 'receipt', ...receipt })
    for (const link of ways) if (link !== HERE) this.options.send(link, bytes)
  }

  private wayFor({ address, over }: Dispatch, now: number): LinkId | undefined {
    const ways = this.table.usable(address, now)
    const other = ways.find(({ link, provenAt }, at) => (over === undefined ? at > 0 && now - provenAt > PROVE_AGAIN_MS : link === over))
    return (other ?? ways[0])?.link
  }

  private receipt(link: LinkId, frame: RouteReceiptFields, now: number): void {
    const { key, cureKey, hops } = frame
    const waiting = this.pending.get(key as BundleKey)
    const passage: Passage | undefined = waiting === undefined ? this.passages.get(key) : undefined
    const { lock, address } = waiting ?? passage ?? {}
    if (address === undefined || cureLock(cureKey, this.options.primitives) !== lock || hops >= MAX_HOPS) return
    const isFound = waiting !== undefined && waiting.over === undefined
    // What was only named to a newcomer has looked nowhere else.
    const looked = waiting?.latest ?? (passage?.from === HERE ? 0 : this.links.latest)
    const price = this.options.costOf?.(link) ?? 0
    this.table.prove(address, { link, hops: hops + 1, now, price, looked, isFound, isAnew: waiting?.isLook })
    this.options.useful?.(link)
    this.options.proven(cureKey)
    if (waiting !== undefined) {
      this.pending.delete(waiting.key)
      // Receipts that come by other ways find the lock there.
      const own = this.passages.open(waiting, { from: HERE, now })
      if (own !== undefined) Object.assign(own, { answered: true, returned: true })
      if (waiting.over === undefined) this.lookFurther(waiting, link, now)
      this.options.delivered(waiting.key)
    }
    if (passage !== undefined) this.passBack(passage, { ...frame, hops: hops + 1 })
  }

  /** One receipt of the bundle, and one of a search where none has passed before (ME31). */
  private passBack(passage: Passage, receipt: RouteReceiptFields): void {
    const { answered, returned, search, ways } = passage
    if (receipt.search ? answered || search === undefined : returned) return
    passage.answered = true
    passage.returned = !receipt.search
    this.back(receipt.search && search !== undefined ? [search] : ways, receipt)
  }
}

function dispatchOf({ key, address, lock, payload }: RouteForwardFields): Dispatch {
  return { key: key as BundleKey, address: address as MeshAddress, lock, payload }
}
