/** What ways to ask a router for a port have in common. */

/** Seconds that a mapping is asked for: what RFC 6886 §3.3 recommends. */
export const LIFETIME_S = 7_200

export interface WayOut {
  /** IPv4 address of the router. */
  readonly gateway: string
  /** IPv4 address of this machine on the way there. */
  readonly host: string
}

/** What is wanted, and of whom. */
export interface MappingTarget extends WayOut {
  /** TCP port that this machine listens on. */
  readonly port: number
  /** Outside port that would be welcome. */
  readonly wanted: number
  readonly signal: AbortSignal
}

export interface OutsidePort {
  readonly host: string
  readonly port: number
  /** Seconds until it is taken away; 0 for never. */
  readonly lifetimeS: number
}

export interface MappingWay {
  readonly name: 'pcp' | 'nat-pmp' | 'upnp'
  /** @returns nothing where the router does not know this way; @throws Error when it refuses */
  map(target: MappingTarget): Promise<OutsidePort | undefined>
  /** Gives the port back; as well as can be done. */
  unmap(target: MappingTarget, outside: OutsidePort): Promise<void>
}

/** The router answers, and says no. */
export function refusedBy(way: MappingWay['name'], code: string | number): Error {
  return new Error(`The router opens no port by ${way}: ${code}.`)
}
