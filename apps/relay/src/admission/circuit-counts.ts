/** Circuits that are open: of each peer, each address and each network, and those of strangers to each member. */
import type { CircuitEnds } from '@skein/node/swarm'
import type { Settings } from '../settings.ts'
import { groupsOf } from './networks.ts'

/** In all, of who asks, of strangers to one member, of who is asked, of an address or of a network. */
export type FullOf = 'total' | 'peer' | 'strangers' | 'member' | 'address' | 'network'

interface Wanted extends CircuitEnds {
  /** Whether the one who asks is not admitted. */
  readonly isStranger: boolean
}

export class CircuitCounts {
  readonly #counts = new Map<string, number>()
  /** Under what each was counted: who is a stranger today may be a member tomorrow. */
  readonly #open = new Map<CircuitEnds, readonly string[]>()

  /** Which bound has been reached; `undefined` while there is room. */
  whyFull(wanted: Wanted, limits: Settings['limits']): FullOf | undefined {
    if (this.#open.size >= limits.circuits) return 'total'
    return boundsOf(wanted, limits).find(([name, most]) => (this.#counts.get(name) ?? 0) >= most)?.[2]
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

function boundsOf(wanted: Wanted, limits: Settings['limits']): (readonly [string, number, FullOf])[] {
  const most = [
    limits.circuitsPerPeer,
    wanted.isStranger ? limits.strangerCircuitsPerMember : limits.circuitsPerPeer,
    limits.circuitsPerAddress,
    limits.circuitsPerNetwork,
  ]
  const whys = ['peer', wanted.isStranger ? 'strangers' : 'member', 'address', 'network'] as const
  return namesOf(wanted).map((name, at) => [name, most[at] ?? 0, whys[at] ?? 'total'])
}

export function addTo(counts: Map<string, number>, key: string, step: number): void {
  const count = (counts.get(key) ?? 0) + step
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
