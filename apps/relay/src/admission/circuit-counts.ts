/** Circuits that are open: of each peer, each address and each network, and those of strangers to each member. */
import type { CircuitEnds } from '@skein/node/swarm'
import type { Settings } from '../settings.ts'
import { groupsOf } from './networks.ts'

interface Wanted extends CircuitEnds {
  /** Whether the one who asks is not admitted. */
  readonly isStranger: boolean
}

export class CircuitCounts {
  readonly #counts = new Map<string, number>()
  /** Under what each was counted: who is a stranger today may be a member tomorrow. */
  readonly #open = new Map<CircuitEnds, readonly string[]>()

  hasRoom(wanted: Wanted, limits: Settings['limits']): boolean {
    if (this.#open.size >= limits.circuits) return false
    return boundsOf(wanted, limits).every(([name, most]) => (this.#counts.get(name) ?? 0) < most)
  }

  begin(ends: CircuitEnds, isStranger: boolean): void {
    const names = namesOf({ from: ends.from, to: ends.to, address: ends.address, isStranger })
    this.#open.set(ends, names)
    for (const name of names) addTo(this.#counts, name, 1)
  }

  end(ends: CircuitEnds): void {
    for (const name of this.#open.get(ends) ?? []) addTo(this.#counts, name, -1)
    this.#open.delete(ends)
  }
}

/** The asker, the asked, the address, the network. What strangers have does not count for the member whom they call. */
function namesOf({ from, to, address, isStranger }: Wanted): readonly string[] {
  return [from, isStranger ? `strangers to ${to}` : to, ...groupsOf(address)]
}

function boundsOf(wanted: Wanted, limits: Settings['limits']): (readonly [string, number])[] {
  const most = [
    limits.circuitsPerPeer,
    wanted.isStranger ? limits.strangerCircuitsPerMember : limits.circuitsPerPeer,
    limits.circuitsPerAddress,
    limits.circuitsPerNetwork,
  ]
  return namesOf(wanted).map((name, at) => [name, most[at] ?? 0])
}

export function addTo(counts: Map<string, number>, key: string, step: number): void {
  const count = (counts.get(key) ?? 0) + step
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
