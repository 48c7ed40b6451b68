/** What has passed through the relay: by class, and by peer under names that nobody can turn back into peers. */
import { createHmac, randomBytes } from 'node:crypto'
import type { CircuitEnds, Passage, TrafficClass } from '@skein/node/swarm'

/** Peers counted; who used least makes room. */
const MAX_PEERS = 8_192

export interface PeerTraffic {
  /** 12 hexadecimal digits, new at each start. */
  readonly name: string
  readonly bytes: number
}

/** The rate of one peer, that of the relay, and that of files near the end of the budget. */
export type HeldBy = 'peer' | 'relay' | 'budget'

export class Meter {
  readonly classes: Record<TrafficClass, number> = { chat: 0, bulk: 0 }
  /** In how many pieces. */
  readonly pieces: Record<TrafficClass, number> = { chat: 0, bulk: 0 }
  /** What had to wait at a rate before more could follow. */
  readonly held: Record<HeldBy, { bytes: number; times: number }> = {
    peer: { bytes: 0, times: 0 },
    relay: { bytes: 0, times: 0 },
    budget: { bytes: 0, times: 0 },
  }
  /** Of all connections, as the transports carry them. */
  readonly carried = { in: 0, out: 0 }
  readonly #byPeer = new Map<string, number>()
  readonly #salt = randomBytes(32)

  onPassage({ from, to }: Pick<CircuitEnds, 'from' | 'to'>, { bytes, class: kind }: Passage): void {
    this.classes[kind] += bytes
    this.pieces[kind] += 1
    this.#add(from, bytes)
    this.#add(to, bytes)
  }

  onBytes(direction: 'in' | 'out', bytes: number): void {
    this.carried[direction] += bytes
  }

  onHeld(by: HeldBy, bytes: number): void {
    this.held[by].bytes += bytes
    this.held[by].times += 1
  }

  /** Those who used most since the start. */
  heaviest(count: number): PeerTraffic[] {
    const sorted = [...this.#byPeer].sort(([, a], [, b]) => b - a).slice(0, count)
    return sorted.map(([peer, bytes]) => ({ name: this.nameOf(peer), bytes }))
  }

  nameOf(peer: string): string {
    return createHmac('sha256', this.#salt).update(peer).digest('hex').slice(0, 12)
  }

  #add(peer: string, bytes: number): void {
    const before = this.#byPeer.get(peer)
    if (before === undefined && this.#byPeer.size >= MAX_PEERS) this.#forgetHalf()
    this.#byPeer.set(peer, (before ?? 0) + bytes)
  }

  #forgetHalf(): void {
    const sorted = [...this.#byPeer].sort(([, a], [, b]) => a - b)
    for (const [peer] of sorted.slice(0, MAX_PEERS / 2)) this.#byPeer.delete(peer)
  }
}
