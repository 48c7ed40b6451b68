/** Where a raw connection is dialled. */

export interface Endpoint {
  /** Name or IP address, with its zone where it has one, as Node.js takes it: `fe80::1%eth0`. */
  readonly host: string
  readonly port: number
}

/** Host and port of a multiaddr that is TCP and nothing above it; `undefined` for any other. */
export function endpointOf(address: string): Endpoint | undefined {
  const found = /^(?:\/ip6zone\/([^/]+))?\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d+)(?:\/p2p\/[^/]+)?$/.exec(address)
  if (found === null) return undefined
  const [, zone, host = '', port] = found
  return { host: zone === undefined ? host : `${host}%${zone}`, port: Number(port) }
}
