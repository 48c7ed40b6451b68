import type { MeshAddress } from '../bundle.ts'

/** Addresses of which news is kept, and of them those that one neighbour was the first to tell of (ME8): a device has six for each of its contacts. */
export const MAX_NEWS = 16_384
export const MAX_NEWS_OF_ONE = MAX_NEWS / 8

/** When the latest news left each address. Of whoever tells too much, and of all together, the longest unrenewed goes first, but never for older news. */
export class NewsBook {
  private readonly times = new Map<MeshAddress, number>()
  private readonly tellers = new Map<MeshAddress, string>()
  private readonly told = new Map<string, Set<MeshAddress>>()

  private latest = 0

  /** Milliseconds since 1970, by address. */
  get all(): ReadonlyMap<MeshAddress, number> {
    return this.times
  }

  hear(address: MeshAddress, at: number, teller: string): void {
    const known = this.times.get(address)
    if (known === undefined ? !this.makeRoom(at, teller) : at <= known) return
    const first = this.tellers.get(address) ?? teller
    this.forget(address)
    this.times.set(address, at)
    this.latest = Math.max(this.latest, at)
    this.tellers.set(address, first)
    this.told.set(first, (this.told.get(first) ?? new Set()).add(address))
  }

  /** The clock was set back: what is later than now counts as now, or nothing would be fresher for as long. */
  setBack(now: number): void {
    if (this.latest <= now) return
    this.latest = now
    for (const [address, at] of this.times) if (at > now) this.times.set(address, now)
  }

  private makeRoom(at: number, teller: string): boolean {
    const victim = this.victim(teller)
    if (victim === undefined) return true
    if ((this.times.get(victim) ?? 0) >= at) return false
    this.forget(victim)
    return true
  }

  private victim(teller: string): MeshAddress | undefined {
    const own = this.told.get(teller)
    if (own !== undefined && own.size >= MAX_NEWS_OF_ONE) return own.values().next().value
    return this.times.size >= MAX_NEWS ? this.times.keys().next().value : undefined
  }

  private forget(address: MeshAddress): void {
    const teller = this.tellers.get(address) ?? ''
    const own = this.told.get(teller)
    if (own?.delete(address) && own.size === 0) this.told.delete(teller)
    this.times.delete(address)
    this.tellers.delete(address)
  }
}
