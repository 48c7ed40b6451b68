/** The bundles of both sides, compared as sets where that takes fewer bytes than to name them; docs/spec/mesh.md has the exchange. */
import type { Random } from '../ports/index.ts'
import { ABOUT_BUNDLES, BUNDLES_LISTED, type MeshControlFields, type SketchFields } from '../wire/mesh.ts'
import type { BundleKey } from './bundle.ts'
import type { BundleStore } from './bundle-store.ts'
import { holds, type LinkId, type Neighbour } from './neighbour.ts'
import { bound, type Neighbourhood } from './neighbourhood.ts'
import { sumOf } from './reconcile/coded-symbols.ts'
import { keyHalves, Reconciliation } from './reconcile/reconciliation.ts'

/** So few here, and so few names of both sides together, are not worth a comparison (ME40). */
const FEW_BUNDLES = 8
const FEW_NAMES = 64
/** So many names take as many bytes as one difference. */
const NAMES_PER_DIFFERENCE = 3
/** What a comparison weighs that nobody has begun, or that comes to nothing (ME41). */
const VAIN_WEIGHT = 100

interface Comparison {
  /** What was here when it began: whatever has come since was named by itself. */
  readonly keys: readonly BundleKey[]
  reconciliation?: Reconciliation
}
const ENDED: Comparison = { keys: [] }

/** With whom, and when, in milliseconds since 1970. */
export interface Talk {
  readonly neighbour: Neighbour
  readonly now: number
}

export interface BundleExchangeDeps {
  readonly store: BundleStore
  readonly random: Random
  readonly neighbours: Neighbourhood
  /** How many bundles would be named to a neighbour. */
  wishes(talk: Talk): number
  /** Names them. */
  list(talk: Talk): void
  /** As MeshNodeOptions. */
  useless?(link: LinkId, weight: number): void
}

export class BundleExchange {
  private readonly deps: BundleExchangeDeps
  private readonly comparisons = new WeakMap<Neighbour, Comparison>()

  constructor(deps: BundleExchangeDeps) {
    this.deps = deps
  }

  /** The side whose alias is the smaller one begins, once for each link. */
  meet(talk: Talk): void {
    const { ownAlias, alias = 0 } = talk.neighbour
    if (ownAlias > alias) return
    const { keys } = this.open(talk)
    if (keys.length < FEW_BUNDLES) this.giveUp(talk)
    else this.say(talk, { about: 0, listed: this.deps.wishes(talk), sum: sumOf(keys.map(keyHalves), ownAlias) })
  }

  /** Answers what a neighbour says of bundles. */
  heard(talk: Talk, said: MeshControlFields): void {
    if (said.about === 0 && said.sum === 0) return
    const known = this.comparisons.get(talk.neighbour)
    if (said.about === BUNDLES_LISTED && known !== ENDED) this.end(talk)
    else if (known === undefined && said.sum !== 0) this.answer(talk, said)
    else if (known !== undefined && known !== ENDED && said.sum === 0) this.goOn(talk, known, said)
    else this.deps.useless?.(talk.neighbour.link, VAIN_WEIGHT)
  }

  private open(talk: Talk): Comparison {
    const comparison = { keys: Array.from(this.deps.store.all(), ({ key }) => key) }
    this.comparisons.set(talk.neighbour, comparison)
    return comparison
  }

  private answer(talk: Talk, { sum, listed }: MeshControlFields): void {
    const comparison = this.open(talk)
    const halves = comparison.keys.map(keyHalves)
    const wishes = this.deps.wishes(talk)
    if (sum === sumOf(halves, talk.neighbour.alias ?? 0)) this.agree(talk, comparison, { ours: [], theirs: [] })
    else if (listed + wishes < FEW_NAMES) this.giveUp(talk)
    else {
      const reconciliation = new Reconciliation(halves, Math.floor(this.deps.random.uniform() * 2 ** 32))
      comparison.reconciliation = reconciliation
      this.say(talk, { listed: wishes, sketch: reconciliation.begin() })
    }
  }

  private goOn(talk: Talk, comparison: Comparison, { sketch, more, wanted, listed }: MeshControlFields): void {
    if (sketch !== undefined) this.take(talk, comparison, { sketch, listed })
    else if (more === 0) this.settle(talk, comparison, wanted)
    else {
      const next = comparison.reconciliation?.goOn(more)
      if (next === undefined) this.giveUp(talk, VAIN_WEIGHT)
      else this.say(talk, { sketch: next })
    }
  }

  private take(talk: Talk, comparison: Comparison, { sketch, listed }: { sketch: SketchFields; listed: number }): void {
    const reconciliation = comparison.reconciliation ?? new Reconciliation(comparison.keys.map(keyHalves), sketch.salt)
    comparison.reconciliation = reconciliation
    const most = sketch.from === 0 ? (listed + this.deps.wishes(talk)) / NAMES_PER_DIFFERENCE : undefined
    const found = reconciliation.take(sketch, most)
    if (found.kind === 'difference') this.agree(talk, comparison, found)
    else if (found.kind === 'more' && !reconciliation.isLong) this.say(talk, { more: found.symbols })
    else this.giveUp(talk, found.kind === 'given-up' ? VAIN_WEIGHT : 0)
  }

  /** The other side is told what is missing here, and so knows as much. */
  private agree(talk: Talk, comparison: Comparison, { ours, theirs }: { ours: readonly string[]; theirs: readonly string[] }): void {
    this.settle(talk, comparison, ours)
    this.say(talk, { wanted: theirs })
  }

  /** The neighbour holds all that was compared, but for what it lacks; nothing of it has to be named. */
  private settle(talk: Talk, { keys }: Comparison, lacking: readonly string[]): void {
    const { neighbour } = talk
    const missing = new Set(lacking)
    for (const key of keys) {
      const held = this.deps.store.get(key)
      if (held !== undefined && !missing.has(key)) holds(neighbour, held)
      neighbour.asked.add(key)
    }
    bound(neighbour.asked)
    this.end(talk)
  }

  private giveUp(talk: Talk, weight = 0): void {
    this.say(talk, { about: BUNDLES_LISTED })
    this.end(talk)
    if (weight > 0) this.deps.useless?.(talk.neighbour.link, weight)
  }

  /** Whatever is left is named. */
  private end(talk: Talk): void {
    this.comparisons.set(talk.neighbour, ENDED)
    this.deps.list(talk)
  }

  private say({ neighbour }: Talk, said: Partial<MeshControlFields>): void {
    this.deps.neighbours.say(neighbour.link, { about: ABOUT_BUNDLES, ...said })
  }
}
