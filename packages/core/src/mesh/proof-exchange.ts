/** Proofs of delivery, as a node keeps them, tells them and takes them from neighbours; docs/spec/mesh.md has the exchange. */
import type { Primitives, Random } from '../ports/index.ts'
import { type CureFields, MAX_DEPTH, type MeshControlFields, type SketchFields } from '../wire/mesh.ts'
import { type Cure, CureBook, cureLock, type HeardCure } from './cure-book.ts'
import type { LinkId, Neighbour } from './neighbour.ts'
import type { Neighbourhood } from './neighbourhood.ts'
import { ProofIntake } from './proof-intake.ts'
import { type Part, Reconciliation, WHOLE } from './reconcile/reconciliation.ts'

/** A neighbour may begin to compare so often (ME7), milliseconds. */
const COMPARE_AGAIN_MS = 5_000
/** What a comparison weighs that led to nothing: passes over all proofs (ME41). */
const GIVEN_UP_WEIGHT = 100
/** The same of a long one, which took many: as bad as anything else that was begun and came to nothing. */
const LONG_WEIGHT = 1_000
const HOUR_MS = 3_600_000

export interface ProofExchangeDeps {
  readonly random: Random
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly neighbours: Neighbourhood
  /** Whether a bundle behind this lock is here or was made here: then its key is no made-up one. */
  isAwaited(lock: string): boolean
  /** As MeshNodeOptions. */
  useless?(link: LinkId, weight: number): void
  /** Proofs that were not known before, or not for so long. */
  learned(cures: readonly Cure[]): void
}

export class ProofExchange {
  private readonly deps: ProofExchangeDeps
  private readonly cures = new CureBook()
  private readonly intake = new ProofIntake()
  /** Shares that were begun here, and the depth of what a neighbour began last. */
  private readonly shares = new WeakMap<Neighbour, number>()
  private readonly depths = new WeakMap<Neighbour, number>()
  /** Those whose last comparison took much, and has not led to a proof that either side lacked. */
  private readonly vain = new WeakSet<Neighbour>()

  constructor(deps: ProofExchangeDeps) {
    this.deps = deps
  }

  has(lock: string): boolean {
    return this.cures.has(lock)
  }

  expire(now: number): void {
    this.cures.expire(now)
  }

  /** The side whose alias is the smaller one begins. */
  compare(neighbour: Neighbour): void {
    if (neighbour.ownAlias > (neighbour.alias ?? 0)) return
    this.begin(neighbour, WHOLE)
  }

  private begin(neighbour: Neighbour, part: Part): void {
    const salt = Math.floor(this.deps.random.uniform() * 2 ** 32)
    neighbour.reconciliation = new Reconciliation(this.cures.keys(), salt, part)
    this.deps.neighbours.say(neighbour.link, { sketch: neighbour.reconciliation.begin() })
  }

  /** Too much differs for one comparison: the next smaller share is compared, another one each time. */
  private beginDeeper(neighbour: Neighbour, { depth }: Part): void {
    if (depth >= MAX_DEPTH) return
    const before = this.shares.get(neighbour) ?? 0
    this.shares.set(neighbour, before + 1)
    this.begin(neighbour, { depth: depth + 1, share: before % 4 ** (depth + 1) })
  }

  /** Answers what a neighbour says of proofs, and takes up those that it shows. */
  heard(neighbour: Neighbour, { sketch, more, wanted, cures }: MeshControlFields, now: number): void {
    const { neighbours } = this.deps
    if (sketch !== undefined) this.compareWith(neighbour, sketch, now)
    if (more > 0) this.goOn(neighbour, more)
    if (wanted.length > 0 || cures.length > 0) this.vain.delete(neighbour)
    if (wanted.length > 0) neighbours.say(neighbour.link, { cures: this.named(this.intake.asked(neighbour, wanted, now)) })
    if (cures.length > 0) this.take(neighbour, cures, now)
  }

  /** It asks for more symbols than it has: who asks for ever is as bad as who sends what leads to nothing. */
  private goOn(neighbour: Neighbour, more: number): void {
    const next = neighbour.reconciliation?.goOn(more)
    if (next === undefined) this.deps.useless?.(neighbour.link, GIVEN_UP_WEIGHT)
    else this.deps.neighbours.say(neighbour.link, { sketch: next })
    if (neighbour.reconciliation?.isLong === true) this.vain.add(neighbour)
  }

  /** A key that this node has found itself. */
  found(key: Uint8Array, expiresAt: number, now: number): void {
    this.learn([{ key, lock: cureLock(key, this.deps.primitives), expiresAt }], { now })
  }

  /** All proofs of one frame at once: one frame onward, however many they are. */
  private take(neighbour: Neighbour, cures: readonly CureFields[], now: number): void {
    const { primitives, isAwaited } = this.deps
    const heard = this.intake
      .shown(neighbour, cures, now)
      .map(({ key, expiryHour }) => ({ key, lock: cureLock(key, primitives), expiresAt: expiryHour * HOUR_MS }))
    const news = heard.filter((cure) => this.cures.isNews(cure, now))
    const sound = news.filter(({ lock }) => isAwaited(lock))
    const others = news.filter(({ lock }) => !isAwaited(lock))
    this.learn([...sound, ...this.intake.admitted(neighbour, others, now)], { now, from: neighbour.link })
  }

  private learn(heard: readonly HeardCure[], { now, from }: { now: number; from?: LinkId }): void {
    const known = new Set(heard.map(({ lock }) => lock).filter((lock) => this.cures.has(lock)))
    const learned = heard.map((cure) => this.cures.learn(cure, now)).filter((cure) => cure !== undefined)
    if (learned.length === 0) return
    this.deps.neighbours.sayToAll({ cures: learned.filter(({ lock }) => !known.has(lock)).map(cureEntry) }, from)
    this.deps.learned(learned)
  }

  private compareWith(neighbour: Neighbour, sketch: SketchFields, now: number): void {
    if (sketch.from === 0) {
      // Each beginning costs a pass over all proofs: whoever never comes to an end gets no second one at once.
      const isDeeper = sketch.depth > (this.depths.get(neighbour) ?? 0)
      const since = now - neighbour.comparedAt
      // A clock that was set back says nothing of how long ago it was.
      if (since >= 0 && since < COMPARE_AGAIN_MS && !isDeeper) {
        this.deps.useless?.(neighbour.link, 1)
        return
      }
      // The next smaller share goes on with what was too much at once.
      if (!isDeeper && this.vain.delete(neighbour)) this.deps.useless?.(neighbour.link, LONG_WEIGHT)
      neighbour.comparedAt = now
      this.depths.set(neighbour, sketch.depth)
      neighbour.reconciliation = new Reconciliation(this.cures.keys(), sketch.salt, sketch)
    }
    const { neighbours } = this.deps
    const found = neighbour.reconciliation?.take(sketch)
    if (found?.kind === 'given-up') this.deps.useless?.(neighbour.link, GIVEN_UP_WEIGHT)
    if (found?.kind === 'too-many' || neighbour.reconciliation?.isLong === true) this.vain.add(neighbour)
    if (found?.kind === 'too-many') this.beginDeeper(neighbour, sketch)
    if (found?.kind === 'more') neighbours.say(neighbour.link, { more: found.symbols })
    if (found?.kind !== 'difference') return
    this.vain.delete(neighbour)
    neighbours.say(neighbour.link, { wanted: found.theirs, cures: this.named(found.ours) })
  }

  private named(prefixes: readonly string[]): CureFields[] {
    const cures = prefixes.map((prefix) => this.cures.byName(prefix)).filter((cure) => cure !== undefined)
    return cures.map(cureEntry)
  }
}

function cureEntry({ key, expiresAt }: HeardCure): CureFields {
  return { key, expiryHour: Math.ceil(expiresAt / HOUR_MS) }
}
