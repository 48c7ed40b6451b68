/**
 * One node of the mesh as a state machine: told of links, frames, finished transfers and the time, it says what goes over
 * which link next. It moves no bytes and knows no clock; a driver does both.
 */
import type { Primitives, Random } from '../ports/index.ts'
import { decodeMeshControl } from '../wire/mesh.ts'
import { Acquaintances } from './acquaintances.ts'
import type { BundleHeader, BundleKey, Handover, HeldBundle, MeshAddress } from './bundle.ts'
import { isAbsurd, isChunk, isRelayable, MAX_HOPS, withinLimits } from './bundle.ts'
import { BundleExchange, type Talk } from './bundle-exchange.ts'
import type { BundleStore } from './bundle-store.ts'
import { BURDEN, givingWay, rankAfter, rankOf } from './burdens.ts'
import type { Cure } from './cure-book.ts'
import { holds, lacks, type LinkId, type LinkInfo, type Neighbour } from './neighbour.ts'
import { bound, Neighbourhood, takeUp } from './neighbourhood.ts'
import { PartialBook } from './partial-book.ts'
import { plainHeader } from './plain-header.ts'
import type { CarryingPolicy, PolicyContext } from './policies/index.ts'
import { ProofExchange } from './proof-exchange.ts'
import { NamedRates } from './rate-limit.ts'

export interface MeshNodeOptions {
  /** Addresses of the tags this node collects. */
  readonly addresses: ReadonlySet<MeshAddress>
  readonly store: BundleStore
  readonly policy: CarryingPolicy
  readonly random: Random
  readonly primitives: Pick<Primitives, 'sha256'>
  /** Proofs of delivery that were not known before, or not for so long. */
  proven?(cures: readonly Cure[]): void
  /** Whether a bundle behind this lock was made here and is under way, beside those in the store. */
  isOwn?(lock: string): boolean
  /** Whether a bundle that has come may still turn out not to get in: nobody is told meanwhile that it is here. */
  isIncoming?(key: BundleKey): boolean
  /** What came over a link led to nothing, and was as bad as so many copies of what is here already. */
  useless?(link: LinkId, weight: number): void
  /** What this node is called on the next link; without it something made up. */
  alias?(): MeshAddress
  /** Puts a control frame on a link. */
  send(link: LinkId, frame: Uint8Array): void
}

/** A bundle and the link it is to go over. */
export interface Choice {
  readonly link: LinkId
  readonly bundle: HeldBundle
}

/** What a receiver says to an offer; `offset` bytes of it are here already. */
export type Admission = { readonly kind: 'welcome'; readonly offset: number } | { readonly kind: 'known' | 'cured' | 'late' | 'no-room' }

/** Keys remembered of what came for this node: the first ones are forgotten, and what lies behind them is known by its message. */
export const MAX_COLLECTED = 16_384
const NONE: ReadonlySet<BundleKey> = new Set()
/** Who brings a bundle: this node itself, or somebody. */
const OWN = ''
const SOMEBODY = 'somebody'

export class MeshNode {
  private readonly options: MeshNodeOptions
  private readonly neighbours: Neighbourhood
  private readonly proofs: ProofExchange
  private readonly bundles: BundleExchange
  private readonly partials: PartialBook
  /** Keys of bundles that came for this node, with the time after which they may be forgotten. */
  private readonly collected = new Map<BundleKey, number>()
  private readonly sending = new Set<BundleKey>()
  private readonly acquaintances = new Acquaintances()
  private readonly broughtBy = new NamedRates(BURDEN)

  constructor(options: MeshNodeOptions) {
    this.options = options
    this.neighbours = new Neighbourhood((link, frame) => options.send(link, frame))
    this.proofs = new ProofExchange({
      ...options,
      neighbours: this.neighbours,
      isAwaited: (lock) => this.isAwaited(lock),
      learned: (cures) => this.learned(cures),
    })
    this.bundles = new BundleExchange({
      ...options,
      neighbours: this.neighbours,
      wishes: (talk) => this.offerable(talk, options.store.all()).length,
      list: ({ neighbour, now }) => this.offerAll(neighbour, now),
    })
    this.partials = new PartialBook(options.store.capacityBytes)
  }

  /** Copies that one bundle of that life is worth now, as the policy sees it. */
  budget(header: BundleHeader, now: number): number {
    return this.options.policy.initialCopies(header, this.context(now))
  }

  /** Takes up a bundle made here; others make room for it whatever they are. */
  originate(header: BundleHeader, now: number, copies = this.budget(header, now)): void {
    if (!this.makeRoom(header, { from: OWN, now }) && isChunk(header)) return
    this.keep({ ...header, receivedAt: now, hops: 0, hopLimit: MAX_HOPS, copies }, { now })
  }

  /** A link has come up; the node says who it is and what it holds. */
  linkUp(info: LinkInfo, now: number): void {
    const { policy, addresses } = this.options
    const ownAlias = this.alias()
    this.neighbours.up(info, ownAlias, now)
    this.recall(info, now)
    policy.stayed(this.neighbours.all(), this.context(now))
    this.neighbours.say(info.link, {
      addresses: [ownAlias, ...addresses],
      gained: policy.summarises ? [...this.keys()] : [],
      prospects: [...policy.prospects(this.context(now))].map(([address, value]) => ({ address, value })),
      experience: policy.experience(),
      partials: [...this.partials.all()].map(({ header, bytes }) => ({ key: header.key, bytes })),
    })
  }

  /** What somebody held who was here a moment ago is not brought to him again. */
  private recall({ link, peer = link }: LinkInfo, now: number): void {
    for (const key of this.acquaintances.comeBack(peer, now)) {
      const held = this.options.store.get(key)
      if (held !== undefined) holds(this.neighbours.get(link), held)
    }
  }

  /** The addresses of this node have changed: all neighbours are told the new ones. */
  readdress(): void {
    for (const { link, ownAlias } of this.neighbours.all()) this.neighbours.say(link, { addresses: [ownAlias, ...this.options.addresses] })
  }

  /** Another one for each link: nobody who hears of it from two sides knows that it is the same node. */
  private alias(): MeshAddress {
    return this.options.alias?.() ?? (Math.floor(this.options.random.uniform() * 2 ** 32) as MeshAddress)
  }

  /** Compares again what both sides hold: what one of them missed is made good. */
  compareAgain(now: number): void {
    for (const neighbour of this.neighbours.all()) {
      if (neighbour.alias === undefined) continue
      if (this.options.policy.cures) this.proofs.compare(neighbour)
      this.offerAll(neighbour, now)
    }
  }

  linkDown(link: LinkId, now: number): void {
    const gone = this.neighbours.get(link)
    this.neighbours.down(link)
    if (gone !== undefined) this.options.policy.stayed([gone], this.context(now))
    if (gone === undefined || this.options.policy.summarises) return
    const both = Array.from(this.options.store.all(), ({ key }) => key).filter((key) => gone.has.has(key))
    this.acquaintances.leave(gone.peer, both, now)
  }

  /** Reads a control frame. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
  control(link: LinkId, frame: Uint8Array, now: number): void {
    const said = decodeMeshControl(frame)
    const neighbour = this.neighbours.get(link)
    if (neighbour === undefined) return
    const { policy } = this.options
    // It may say later that it has other addresses; that is no second meeting.
    const isMeeting = said.addresses.length > 0 && neighbour.alias === undefined
    takeUp(neighbour, said)
    for (const held of said.gained.map((key) => this.options.store.get(key as BundleKey))) if (held !== undefined) holds(neighbour, held)
    if (isMeeting && policy.cures) this.proofs.compare(neighbour)
    if (said.about === 0) this.proofs.heard(neighbour, said, now)
    if (isMeeting) policy.met(neighbour, this.context(now))
    if (isMeeting && !policy.summarises) this.bundles.meet({ neighbour, now })
    this.bundles.heard({ neighbour, now }, said)
    const known = (said.offered as readonly BundleKey[]).filter((key) => this.knows(key) && this.options.isIncoming?.(key) !== true)
    this.neighbours.say(link, { gained: known })
  }

  /** Whether the neighbour on a link has not said that it holds a bundle. */
  mayLack(link: LinkId, key: BundleKey): boolean {
    return this.neighbours.get(link)?.has.has(key) === false
  }

  /** A bundle for the node at the other end of one of `links`, the longest-lived link first. @param busy keys of what is not to be named */
  deliverable(links: readonly LinkId[], now: number, busy: ReadonlySet<BundleKey> = NONE): Choice | undefined {
    const moment = { now, busy }
    for (const neighbour of this.neighbours.served(links)) {
      let chunk: HeldBundle | undefined
      for (const bundle of this.options.store.to(neighbour.addresses)) {
        if (!lacks(neighbour, bundle, moment) || bundle.expiresAt <= now) continue
        if (!isChunk(bundle)) return { link: neighbour.link, bundle }
        chunk ??= bundle
      }
      if (chunk !== undefined) return { link: neighbour.link, bundle: chunk }
    }
    return undefined
  }

  /** A bundle that the policy wants carried by a neighbour on one of `links`. @param busy as above */
  carriable(links: readonly LinkId[], now: number, busy: ReadonlySet<BundleKey> = NONE): Choice | undefined {
    const context = { ...this.context(now), busy }
    for (const neighbour of this.neighbours.served(links)) {
      const bundle = this.options.policy.pick(neighbour, context)
      if (bundle !== undefined) return { link: neighbour.link, bundle }
    }
    return undefined
  }

  /** Whether a bundle may come; makes room for it if it may. @param from who brings it, where the store tells them apart */
  admit(header: BundleHeader, now: number, from = SOMEBODY): Admission {
    if (this.proofs.has(header.lock)) return { kind: 'cured' }
    if (this.knows(header.key)) return { kind: 'known' }
    const mine = this.options.addresses.has(header.address)
    if (isAbsurd(header, now) || (mine ? header.expiresAt <= now : !isRelayable(header, now))) return { kind: 'late' }
    // Parts of files for this node lie elsewhere: no copy has to go for them, and none is too many.
    const fits = (mine && isChunk(header)) || this.makeRoom(header, { from, now })
    return fits ? { kind: 'welcome', offset: this.partials.bytes(header.key) } : { kind: 'no-room' }
  }

  /** The neighbour does not want what was offered. */
  refused({ link, bundle }: Choice, why: Admission['kind']): void {
    const neighbour = this.neighbours.get(link)
    if (why === 'known' || why === 'cured') holds(neighbour, bundle)
    else neighbour?.refused.add(bundle.key)
  }

  /** What a neighbour did not want may be offered to it again, also where it says nothing new. */
  forgive(link: LinkId): void {
    this.neighbours.get(link)?.refused.clear()
  }

  /** A transfer from here begins: the copy stays until it has ended. */
  began({ bundle }: Choice): void {
    this.sending.add(bundle.key)
  }

  /** A transfer from here has broken off. */
  broken({ bundle }: Choice): void {
    this.sending.delete(bundle.key)
  }

  /** What a neighbour gets if it takes the bundle. */
  handover({ bundle }: Choice): Handover {
    const { given } = this.split(bundle)
    return { header: bundle, hops: bundle.hops + 1, hopLimit: Math.max(0, bundle.hopLimit - 1), copies: given }
  }

  /** A transfer from here is complete: what the neighbour got. */
  finished(choice: Choice): Handover {
    const { link, bundle } = choice
    const handed = this.handover(choice)
    this.sending.delete(bundle.key)
    holds(this.neighbours.get(link), bundle)
    const isTheirs = this.neighbours.get(link)?.addresses.has(bundle.address) === true
    // Whoever only claims to be the recipient shall not use up the budget; with proofs of delivery it is known in time.
    if (!isTheirs || !this.options.policy.cures) bundle.copies = this.split(bundle).kept
    return handed
  }

  /** A bundle has come in whole; returns whether it was for this node. */
  received(handover: Handover, from: LinkId, now: number): boolean {
    const { header, hops, hopLimit, copies } = withinLimits(handover)
    this.partials.drop(header.key)
    holds(this.neighbours.get(from), header)
    if (this.options.addresses.has(header.address)) {
      this.collect(header)
      if (this.options.policy.summarises) this.neighbours.sayToAll({ gained: [header.key] }, from)
      return true
    }
    if (this.proofs.has(header.lock)) return false
    const peer = this.neighbours.get(from)?.peer ?? OWN
    this.keep({ ...plainHeader(header), receivedAt: now, hops, hopLimit, copies, rank: this.rankOf(header, peer, now) }, { from, now })
    if (!isChunk(header)) this.broughtBy.of(peer, now).takes(1, now)
    return false
  }

  /** Ranks are for where what has arrived goes by itself (ME47); parts of files have bounds of their own (ME28). */
  private rankOf(header: BundleHeader, peer: string, now: number): number {
    if (peer === OWN || isChunk(header) || !this.options.policy.cures) return 0
    return rankAfter(this.broughtBy.of(peer, now).taken(now))
  }

  private collect({ key, expiresAt }: BundleHeader): void {
    this.collected.set(key, expiresAt)
    const [first] = this.collected.keys()
    if (this.collected.size > MAX_COLLECTED && first !== undefined) this.collected.delete(first)
  }

  /** What came for this node could not be used now: it may come again. */
  disown(key: BundleKey): void {
    this.collected.delete(key)
  }

  /** A transfer to here has broken off after `bytes` more bytes. */
  partial(header: BundleHeader, bytes: number): void {
    if (!this.options.policy.resumes) return
    this.partials.keep(plainHeader(header), this.partials.bytes(header.key) + bytes)
    this.neighbours.sayToAll({ partials: [{ key: header.key, bytes: this.partials.bytes(header.key) }] })
  }

  /** Nothing is left here of a transfer that broke off. */
  forgetPartial(key: BundleKey): void {
    this.partials.drop(key)
  }

  /** This node has opened a bundle that came for it, and found the key of its cure lock. */
  cure(key: Uint8Array, expiresAt: number, now: number): void {
    if (this.options.policy.cures) this.proofs.found(key, expiresAt, now)
  }

  /** Drops what has expired and is not being sent; once a minute is enough. */
  expire(now: number): void {
    for (const held of this.options.store.all())
      if (!isRelayable(held, now) && !this.sending.has(held.key)) this.options.store.remove(held.key)
    for (const [key, until] of this.collected) if (until <= now) this.collected.delete(key)
    for (const { header } of this.partials.all()) if (!isRelayable(header, now)) this.partials.drop(header.key)
    this.proofs.expire(now)
  }

  /** A piece made here goes to one neighbour with all its copies: the others get other pieces (ME32). */
  private split({ copies, hops, isPiece }: HeldBundle): { readonly given: number; readonly kept: number } {
    return isPiece === true && hops === 0 ? { given: Math.max(1, copies - 1), kept: 1 } : this.options.policy.split(copies)
  }

  private learned(cures: readonly Cure[]): void {
    for (const { lock } of cures) {
      for (const held of this.options.store.locked(lock)) this.options.store.remove(held.key)
      for (const { header } of this.partials.all()) if (header.lock === lock) this.partials.drop(header.key)
    }
    this.options.proven?.(cures)
  }

  private isAwaited(lock: string): boolean {
    if (this.options.store.locked(lock).length > 0 || this.options.isOwn?.(lock) === true) return true
    for (const { header } of this.partials.all()) if (header.lock === lock) return true
    return false
  }

  private makeRoom(header: BundleHeader, { from, now }: { readonly from: string; readonly now: number }): boolean {
    const { store, policy } = this.options
    const charge = store.charge(header.bytes)
    if (charge > store.capacityBytes) return false
    const rank = this.rankOf(header, from, now)
    while (store.usedBytes + this.partials.usedBytes + charge > store.capacityBytes + this.partials.bytes(header.key)) {
      const all = this.free(store.all())
      // Whatever the policy, what nobody wants any more goes first.
      const expired = all.find(({ expiresAt }) => expiresAt <= now)
      const among = givingWay(this.free(store.yielding(from, header.bytes)), rank)
      const isEqual = rank === 0 && (isChunk(header) || !among.some(rankOf))
      if ((expired !== undefined && store.remove(expired.key)) || (isEqual && this.partials.dropOldest())) continue
      if (isChunk(header)) return false
      // Parts of files go before anything else (ME28), own ones for own bundles alone.
      const victim = all.find((held) => isChunk(held) && (held.hops > 0 || from === OWN)) ?? policy.victim(among, this.context(now))
      if (victim === undefined) return false
      store.remove(victim.key)
      if (policy.summarises) this.neighbours.sayToAll({ lost: [victim.key] })
    }
    return true
  }

  /** Without what is being sent: that stays until its transfer has ended. */
  private free(among: Iterable<HeldBundle>): readonly HeldBundle[] {
    return Array.from(among).filter(({ key }) => !this.sending.has(key))
  }

  private keep(held: HeldBundle, { from, now }: { from?: LinkId; now: number }): void {
    this.options.store.put(held)
    if (this.options.policy.summarises) this.neighbours.sayToAll({ gained: [held.key] }, from)
    for (const neighbour of this.neighbours.all()) if (neighbour.link !== from) this.offer(neighbour, [held], now)
  }

  private offerAll(neighbour: Neighbour, now: number): void {
    this.offer(neighbour, this.options.store.all(), now)
  }

  /** Asks a neighbour about bundles it might carry, unless it says by itself what it holds. */
  private offer(neighbour: Neighbour, bundles: Iterable<HeldBundle>, now: number): void {
    if (this.options.policy.summarises) return
    const offered = this.offerable({ neighbour, now }, bundles)
    for (const { key } of offered) neighbour.asked.add(key)
    bound(neighbour.asked)
    this.neighbours.say(neighbour.link, { offered: offered.map(({ key }) => key) })
  }

  private offerable({ neighbour, now }: Talk, bundles: Iterable<HeldBundle>): readonly HeldBundle[] {
    const context = this.context(now)
    const isNews = ({ key }: HeldBundle): boolean => !neighbour.asked.has(key)
    const wants = (held: HeldBundle): boolean => this.options.policy.wants(held, neighbour, context)
    return [...bundles].filter((held) => isNews(held) && lacks(neighbour, held, context) && wants(held))
  }

  /** Whether a bundle is here, or has come for this node. */
  knows(key: BundleKey): boolean {
    return this.options.store.has(key) || this.collected.has(key)
  }

  private *keys(): Iterable<BundleKey> {
    for (const { key } of this.options.store.all()) yield key
    yield* this.collected.keys()
  }

  private context(now: number): PolicyContext {
    return { now, store: this.options.store, random: this.options.random }
  }
}
