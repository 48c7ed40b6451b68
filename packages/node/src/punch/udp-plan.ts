/** Who opens how many sockets and sends where, from how the two NATs choose their ports. Pure. */
import type { PortMapping } from '@skein/core'
import { FEW_SOCKETS, FIRST_RANDOM_PORT, MOST_SOCKETS, PORTS_AHEAD } from './constants.ts'

export interface NatSide {
  readonly mapping: PortMapping
  /** Outside port that was seen last. */
  readonly port: number
  readonly step: number
}

export interface PunchPlan {
  /** How many sockets this side sends from. */
  readonly sockets: number
  /** Ports of the other side. `known`: each socket goes on sending to all of them; `search`: one probe for each, in order. */
  readonly kind: 'known' | 'search' | 'lockstep'
  /** Whether short rounds, each on new sockets, find more than a long one: whatever else opens a connection takes a port out of a row. */
  readonly isRepeated: boolean
  /** For `lockstep` the n-th socket sends to the n-th port alone. */
  ports(): Iterable<number>
}

const LAST_PORT = 65_535
const PORTS = LAST_PORT - FIRST_RANDOM_PORT + 1

/**
 * `undefined` when these two cannot meet: both sides would have to guess, or no port is left where the other side's next one is.
 * @param seed of the order in which unforeseeable ports are tried, a whole number
 */
export function planPunch(mine: NatSide, theirs: NatSide, seed: number): PunchPlan | undefined {
  if (mine.mapping === 'same') {
    if (theirs.mapping === 'same') return known(theirs, 1, false)
    if (theirs.mapping === 'random') return { sockets: 1, kind: 'search', isRepeated: false, ports: () => everyPort(seed) }
    return following(theirs, { sockets: 1, kind: 'search', count: PORTS_AHEAD })
  }
  if (theirs.mapping === 'same') return mine.mapping === 'random' ? known(theirs, MOST_SOCKETS, false) : known(theirs, FEW_SOCKETS, true)
  if (mine.mapping === 'random' || theirs.mapping === 'random') return undefined
  return following(theirs, { sockets: FEW_SOCKETS, kind: 'lockstep', count: FEW_SOCKETS })
}

function known({ port }: NatSide, sockets: number, isRepeated: boolean): PunchPlan {
  return { sockets, kind: 'known', isRepeated, ports: () => [port] }
}

/** Ports after the last known one, which may be the last there is: the other side says what it likes. */
function following(
  { port, step }: NatSide,
  { count, ...plan }: Pick<PunchPlan, 'sockets' | 'kind'> & { readonly count: number },
): PunchPlan | undefined {
  const ports = Array.from({ length: count }, (_, at) => port + (at + 1) * step).filter((each) => each >= 1 && each <= LAST_PORT)
  return ports.length === 0 ? undefined : { ...plan, isRepeated: true, ports: () => ports }
}

/** Each once, scattered: a walk by a stride that has no factor in common with their number. */
function* everyPort(seed: number): Generator<number> {
  const stride = strideFor(seed)
  for (let at = 0, port = seed % PORTS; at < PORTS; at += 1, port = (port + stride) % PORTS) yield FIRST_RANDOM_PORT + port
}

function strideFor(seed: number): number {
  let stride = 1 + ((seed * 7_919) % (PORTS - 1))
  while (gcd(stride, PORTS) !== 1) stride += 1
  return stride
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
