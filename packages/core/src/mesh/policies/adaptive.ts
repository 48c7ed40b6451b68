import type { BundleHeader, BundleKey, HeldBundle, MeshAddress } from '../bundle.ts'
import { isRelayable } from '../bundle.ts'
import { lacks, type Neighbour } from '../neighbour.ts'
import type { CarryingPolicy, PolicyContext } from './policy.ts'

export interface AdaptiveOptions {
  copies?: number | undefined
  hot?: number
}

export class AdaptivePolicy implements CarryingPolicy {
  readonly name = 'adaptive'
  readonly resumes = true
  readonly cures = true
  readonly summarises = false
  private readonly heard = new Map<MeshAddress, number>()
  private readonly o: AdaptiveOptions
  constructor(o: AdaptiveOptions = {}) {
    this.o = o
  }

  initialCopies(): number {
    return this.o.copies ?? 10
  }

  prospects({ now }: PolicyContext): ReadonlyMap<MeshAddress, number> {
    return new Map([...this.heard].map(([a, t]) => [a, Math.round((now - t) / 10_000)]))
  }
  met(neighbour: Neighbour, { now }: PolicyContext): void {
    for (const [address, age] of neighbour.prospects) {
      const t = now - age * 10_000
      if (t > (this.heard.get(address) ?? -1)) this.heard.set(address, t)
    }
    for (const address of neighbour.addresses) this.heard.set(address, now)
  }
  private age(neighbour: Neighbour, address: MeshAddress, now: number): number {
    const told = neighbour.prospects.get(address)
    return told === undefined ? Infinity : told * 10_000 + now - neighbour.since
  }
  wants(held: HeldBundle, neighbour: Neighbour, { now }: PolicyContext): boolean {
    if (held.hopLimit < 1 || !isRelayable(held, now)) return false
    return held.copies > 1 || this.age(neighbour, held.address, now) < (this.o.hot ?? 250_000)
  }
  pick(neighbour: Neighbour, context: PolicyContext): HeldBundle | undefined {
    let best: HeldBundle | undefined
    let score = -Infinity
    for (const held of context.store.all()) {
      if (!neighbour.asked.has(held.key) || !lacks(neighbour, held) || !this.wants(held, neighbour, context)) continue
      const rest = held.bytes - (neighbour.partials.get(held.key) ?? 0)
      const s = -rest
      if (s > score) {
        best = held
        score = s
      }
    }
    return best
  }
  split(copies: number): { given: number; kept: number } {
    return { given: Math.max(1, Math.floor(copies / 2)), kept: Math.ceil(copies / 2) }
  }
  victim(_incoming: BundleHeader, busy: ReadonlySet<BundleKey>, { store }: PolicyContext): HeldBundle | undefined {
    let v: HeldBundle | undefined
    for (const h of store.all()) if (!busy.has(h.key) && (v === undefined || h.receivedAt < v.receivedAt)) v = h
    return v
  }
}
