import type { HeldBundle, MeshAddress } from '../bundle.ts'
import { isRelayable } from '../bundle.ts'
import { lacks, type Neighbour } from '../neighbour.ts'
import { oldestReceived } from './oldest-first.ts'
import type { CarryingPolicy, PolicyContext } from './policy.ts'

/** RFC 6693, section 3.3, with the values of PRoPHETv2 (Grasic et al. 2011) as The ONE simulator has them. */
const P_ENCOUNTER_MAX = 0.5
/** Meetings closer together than this count in proportion. */
const TYPICAL_INTERVAL_MS = 1_800_000
const BETA = 0.9
const GAMMA = 0.999_885_791
/** Unit of time in which predictabilities age. */
const AGING_UNIT_MS = 30_000
/** Predictabilities travel as whole multiples of 2^-24. */
const SCALE = 2 ** 24

/** Hands a copy to whoever met the recipient more often and more lately, at first hand or through others. */
export class ProphetPolicy implements CarryingPolicy {
  readonly name = 'prophet'
  readonly resumes = false
  readonly cures = false
  readonly summarises = true
  private readonly predictabilities = new Map<MeshAddress, number>()
  private readonly lastMet = new Map<MeshAddress, number>()
  private agedAt: number | undefined

  initialCopies(): number {
    return 1
  }

  prospects({ now }: PolicyContext): ReadonlyMap<MeshAddress, number> {
    this.age(now)
    return new Map([...this.predictabilities].map(([address, value]) => [address, Math.round(Math.min(1, value) * SCALE)]))
  }

  stayed(): void {
    // A meeting counts when it begins.
  }

  experience(): readonly number[] {
    return []
  }

  met(neighbour: Neighbour, { now }: PolicyContext): void {
    this.age(now)
    for (const address of neighbour.addresses) {
      const p = this.predictabilities.get(address) ?? 0
      this.predictabilities.set(address, p + (1 - p) * this.encounter(address, now))
      this.lastMet.set(address, now)
    }
    const through = Math.max(...[...neighbour.addresses].map((address) => this.predictabilities.get(address) ?? 0))
    for (const [address, value] of neighbour.prospects) {
      const transitive = through * Math.min(1, value / SCALE) * BETA
      if (transitive > (this.predictabilities.get(address) ?? 0)) this.predictabilities.set(address, transitive)
    }
  }

  wants(held: HeldBundle, neighbour: Neighbour, { now }: PolicyContext): boolean {
    if (held.hopLimit < 1 || !isRelayable(held, now)) return false
    return predicted(neighbour, held) >= (this.predictabilities.get(held.address) ?? 0)
  }

  /** GRTRMax: the bundle whose recipient the neighbour is likeliest to meet. */
  pick(neighbour: Neighbour, context: PolicyContext): HeldBundle | undefined {
    let best: HeldBundle | undefined
    for (const held of context.store.all()) {
      if (!lacks(neighbour, held, context) || !this.wants(held, neighbour, context)) continue
      if (best === undefined || predicted(neighbour, held) > predicted(neighbour, best)) best = held
    }
    return best
  }

  split(copies: number): { readonly given: number; readonly kept: number } {
    return { given: copies, kept: copies }
  }

  victim(among: Iterable<HeldBundle>): HeldBundle | undefined {
    return oldestReceived(among)
  }

  private encounter(address: MeshAddress, now: number): number {
    const last = this.lastMet.get(address)
    return last === undefined ? P_ENCOUNTER_MAX : P_ENCOUNTER_MAX * Math.max(0, Math.min(1, (now - last) / TYPICAL_INTERVAL_MS))
  }

  private age(now: number): void {
    const factor = GAMMA ** (Math.max(0, now - (this.agedAt ?? now)) / AGING_UNIT_MS)
    this.agedAt = now
    if (factor === 1) return
    for (const [address, value] of this.predictabilities) this.predictabilities.set(address, value * factor)
  }
}

function predicted(neighbour: Neighbour, { address }: HeldBundle): number {
  return (neighbour.prospects.get(address) ?? 0) / SCALE
}
