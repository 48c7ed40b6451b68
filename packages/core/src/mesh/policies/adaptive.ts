/**
 * The default policy. A bundle starts with a budget of copies that follows from how often nodes meet; carriers halve it
 * as they meet others, but spare those that are unlikely to meet the recipient, and give a copy beyond the budget to
 * those that are far likelier. Who is likely, every node learns from its own meetings: nodes tell each other how long
 * ago news of an address last left it, however many hands it went through, and fresh news means nearness.
 */
import type { BundleHeader, HeldBundle, MeshAddress } from '../bundle.ts'
import { isRelayable, MAX_COPIES } from '../bundle.ts'
import { rankOf } from '../burdens.ts'
import { lacks, type Neighbour } from '../neighbour.ts'
import { MAX_PROSPECTS } from '../neighbourhood.ts'
import { Claims } from './claims.ts'
import { MeetingRates } from './meeting-rates.ts'
import { NewsBook } from './news-book.ts'
import type { CarryingPolicy, PolicyContext } from './policy.ts'

/**
 * One more copy is worth making while it shortens the expected wait by this share of the bundle's life. With n carriers
 * who each meet the recipient every T on average, the wait is T / n, and one more saves about T / n².
 */
const WORTH_OF_LIFE = 1 / 180
/** Where stores are full a copy also costs the one that it pushes out: that which matters least there. */
const COST_OF_DROPPING = 1.5
/** Before anything is known of how often nodes meet. */
const FIRST_COPIES = 8
/** Neighbours less likely than this, compared with the average, get a copy only if they are likelier than its holder. */
const COLD = 0.8
/** Neighbours that much likelier get a copy beyond the budget. */
const HOT = 5
/** Steps in which ages are told: coarse enough to say little, fine enough for the freshest class. */
const STEP_MS = 10_000
/** Older news is not told, and not believed: no bundle lives longer. */
const MOST_STEPS = (31 * 86_400_000) / STEP_MS
/** A link that stands for so long is no passing meeting any more. */
const STANDING_MS = 600_000
/** A difference in age below this is no difference when bundles are compared. */
const FRESH_MS = 30_000

export interface AdaptiveOptions {
  /** Instead of what meetings suggest. */
  readonly copies?: number | undefined
  /** Addresses that nobody boasts with; fewer where nodes have one each. */
  readonly leastClaims?: number | undefined
}

export class AdaptivePolicy implements CarryingPolicy {
  readonly name = 'adaptive'
  readonly resumes = true
  readonly cures = true
  readonly summarises = false
  private readonly news = new NewsBook()
  private readonly rates = new MeetingRates()
  /** When the news left that a neighbour's has outdone, by address. */
  private readonly fresher = new WeakMap<Neighbour, ReadonlyMap<MeshAddress, number>>()
  /** Those who have not boasted. */
  private readonly believed = new WeakSet<Neighbour>()
  private readonly claims: Claims
  private readonly copies: number | undefined

  constructor({ copies, leastClaims }: AdaptiveOptions = {}) {
    this.copies = copies
    this.claims = new Claims(leastClaims)
  }

  initialCopies({ expiresAt, bytes }: BundleHeader, { now, store }: PolicyContext): number {
    if (this.copies !== undefined) return this.copies
    const interval = this.rates.interval()
    if (interval === undefined) return FIRST_COPIES
    const isFull = store.usedBytes + store.charge(bytes) > store.capacityBytes
    const worth = WORTH_OF_LIFE * (isFull ? COST_OF_DROPPING : 1)
    return Math.max(2, Math.min(MAX_COPIES, Math.round(Math.sqrt(interval / (worth * (expiresAt - now))))))
  }

  prospects({ now }: PolicyContext): ReadonlyMap<MeshAddress, number> {
    // A clock that was set back makes news come from the future.
    const steps = (at: number): number => Math.max(0, Math.round((now - at) / STEP_MS))
    const told = [...this.news.all].map(([address, at]) => [address, steps(at)] as const).filter(([, age]) => age <= MOST_STEPS)
    // No more than whoever hears it keeps.
    return new Map(told.length <= MAX_PROSPECTS ? told : told.sort(([, one], [, other]) => one - other).slice(0, MAX_PROSPECTS))
  }

  experience(): readonly number[] {
    return this.rates.told()
  }

  met(neighbour: Neighbour, { now }: PolicyContext): void {
    this.news.setBack(now)
    this.rates.wait(this.news.all, now)
    if (this.claims.met(neighbour.peer, neighbour.addresses.size)) return
    this.believed.add(neighbour)
    this.rates.addressesEach = this.claims.usual
    this.rates.average(neighbour.experience)
    this.fresher.set(neighbour, this.outdone(neighbour, now))
    for (const address of neighbour.addresses) {
      const at = this.news.all.get(address)
      if (at !== undefined) this.rates.meet(now - at)
      this.news.hear(address, now, neighbour.peer)
    }
    for (const [address, steps] of neighbour.prospects)
      if (steps <= MOST_STEPS) this.news.hear(address, now - steps * STEP_MS, neighbour.peer)
  }

  /** On a link that has stood for long the other side is not as far away as when it came. */
  stayed(neighbours: Iterable<Neighbour>, { now }: PolicyContext): void {
    for (const neighbour of neighbours) {
      // It may have said more addresses since it was met.
      if (this.claims.isBoast(neighbour.addresses.size)) this.believed.delete(neighbour)
      if (now - neighbour.since < STANDING_MS || !this.believed.has(neighbour)) continue
      for (const address of neighbour.addresses) this.news.hear(address, now, neighbour.peer)
    }
  }

  wants(held: HeldBundle, neighbour: Neighbour, { now }: PolicyContext): boolean {
    if (held.hopLimit < 1 || !isRelayable(held, now)) return false
    const theirs = this.rates.factor(told(neighbour, held.address, now))
    if (theirs >= HOT || held.copies < 2) return theirs >= HOT
    return theirs >= COLD || theirs > this.rates.factor(now - this.before(neighbour, held.address, now))
  }

  /** What is begun already first, then what was brought by those who burden others least (ME47), then what has most to gain for its bytes. */
  pick(neighbour: Neighbour, context: PolicyContext): HeldBundle | undefined {
    let best: HeldBundle | undefined
    let most = -Infinity
    for (const held of context.store.all()) {
      if (!neighbour.asked.has(held.key) || !lacks(neighbour, held, context) || !this.wants(held, neighbour, context)) continue
      const worth = gain(held, neighbour, context.now)
      if (worth > most) [best, most] = [held, worth]
    }
    return best
  }

  split(copies: number): { readonly given: number; readonly kept: number } {
    const given = Math.max(1, Math.floor(copies / 2))
    return { given, kept: Math.max(1, copies - given) }
  }

  /** What others made goes before what was made here; then what matters least; then that whose recipient was heard of longest ago. */
  victim(among: Iterable<HeldBundle>, { now }: PolicyContext): HeldBundle | undefined {
    let victim: HeldBundle | undefined
    let most = -1
    for (const held of among) {
      const rank = (held.hops > 0 ? MOST_PRIORITY + 1 : 0) + MOST_PRIORITY - held.priority
      const due = this.age(held.address, now) + rank * 2 * NEVER_MS
      if (due > most) [victim, most] = [held, due]
    }
    return victim
  }

  /** When the news left that this neighbour is about to outdo. */
  private outdone(neighbour: Neighbour, now: number): ReadonlyMap<MeshAddress, number> {
    const outdone = new Map<MeshAddress, number>()
    for (const [address, steps] of neighbour.prospects) {
      const ours = this.news.all.get(address) ?? now - NEVER_MS
      if (ours < now - steps * STEP_MS) outdone.set(address, ours)
    }
    return outdone
  }

  /** When the latest news left that was here without this neighbour's help. */
  private before(neighbour: Neighbour, address: MeshAddress, now: number): number {
    return this.fresher.get(neighbour)?.get(address) ?? this.news.all.get(address) ?? now - NEVER_MS
  }

  private age(address: MeshAddress, now: number): number {
    return now - (this.news.all.get(address) ?? now - NEVER_MS)
  }
}

/** Longer ago than anything: no bundle lives that long. */
const NEVER_MS = 400 * 86_400_000
const MOST_PRIORITY = 2

/** Age of the neighbour's news of an address, as it was when the link came up. */
function told(neighbour: Neighbour, address: MeshAddress, now: number): number {
  const steps = neighbour.prospects.get(address)
  return steps === undefined ? NEVER_MS : steps * STEP_MS + now - neighbour.since
}

function gain(held: HeldBundle, neighbour: Neighbour, now: number): number {
  const begun = neighbour.partials.get(held.key) ?? 0
  const worth = 1 / ((held.bytes - begun + 1) * Math.max(FRESH_MS, told(neighbour, held.address, now)))
  return worth - (begun > 0 ? -1 : rankOf(held))
}
