/** Where a raw connection is dialled. */

export interface Endpoint {
  /** IP address or name. */
  readonly host: string
  readonly port: number
}

/** Host and port of a multiaddr that is TCP and nothing above it; `undefined` for any other. */
export function endpointOf(address: string): Endpoint | undefined {
  const found = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d+)(?:\/p2p\/[^/]+)?$/.exec(address)
  return found === null ? undefined : { host: found[1] ?? '', port: Number(found[2]) }
}
