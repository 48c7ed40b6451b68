/** Circuits that are open: of who asks and to whom, each address and each network, and those of strangers to each member. */
import type { CircuitEnds } from '@skein/node/swarm'
import type { Settings } from '../settings.ts'
import { groupsOf } from './networks.ts'

/** In all, of who asks, of that one to the one who is asked, of strangers to one member, of who is asked, of an address or of a network. */
export type FullOf = 'total' | 'peer' | 'pair' | 'strangers' | 'member' | 'address' | 'network'

/** What those of one address, and of one network, may have of the circuits to a member. */
const SHARES_OF_MEMBER = [1 / 4, 1 / 2]

type Limits = Settings['limits']

interface Count {
  readonly name: string
  readonly why: FullOf
  /** How many there may be under this name. */
  readonly most: (limits: Limits) => number
}

interface Wanted extends CircuitEnds {
  /** Whether the one who asks is not admitted. */
  readonly isStranger: boolean
}

export class CircuitCounts {
  readonly #counts = new Map<string, number>()
  /** Under what each was counted: who is a stranger today may be a member tomorrow. */
  readonly #open = new Map<CircuitEnds, readonly string[]>()

  /** Which bound has been reached; `undefined` while there is room. */
  whyFull(wanted: Wanted, limits: Limits): FullOf | undefined {
    if (this.#open.size >= limits.circuits) return 'total'
    return countsOf(wanted).find(({ name, most }) => (this.#counts.get(name) ?? 0) >= most(limits))?.why
  }

  begin(ends: CircuitEnds, isStranger: boolean): void {
    const names = countsOf({ from: ends.from, to: ends.to, address: ends.address, isStranger }).map(({ name }) => name)
    this.#open.set(ends, names)
    for (const name of names) addTo(this.#counts, name, 1)
  }

  end(ends: CircuitEnds): void {
    for (const name of this.#open.get(ends) ?? []) addTo(this.#counts, name, -1)
    this.#open.delete(ends)
  }
}

/**
 * Asking and being asked are counted apart: what somebody never asked for takes nothing from what it asks for. What strangers
 * have does not count for the member whom they call.
 */
function countsOf({ from, to, address, isStranger }: Wanted): readonly Count[] {
  const [called, why] = isStranger ? ([`strangers to ${to}`, 'strangers'] as const) : ([`to ${to}`, 'member'] as const)
  const most = ({ circuitsToPeer, strangerCircuitsPerMember }: Limits): number => (isStranger ? strangerCircuitsPerMember : circuitsToPeer)
  const groups = groupsOf(address)
  return [
    { name: `from ${from}`, why: 'peer', most: (limits) => limits.circuitsPerPeer },
    { name: `from ${from} to ${to}`, why: 'pair', most: (limits) => limits.circuitsPerPair },
    { name: called, why, most },
    ...groups.map((group, at): Count => {
      const share = SHARES_OF_MEMBER[at] ?? 1
      return { name: `${group} ${called}`, why: 'pair', most: (limits) => Math.ceil(most(limits) * share) }
    }),
    ...groups.map((name, at): Count => {
      const isOwn = at === 0
      return { name, why: isOwn ? 'address' : 'network', most: (limits) => (isOwn ? limits.circuitsPerAddress : limits.circuitsPerNetwork) }
    }),
  ]
}

export function addTo(counts: Map<string, number>, key: string, step: number): void {
  const count = (counts.get(key) ?? 0) + step
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
