/** Multiaddrs a relay listens on and those it announces. */

export type PortOrOff = number | 'off'

export interface RelayPorts {
  readonly host: string
  readonly tcp: PortOrOff
  readonly ws: PortOrOff
  readonly webrtc: PortOrOff
  /** Off unless told otherwise. */
  readonly quic?: PortOrOff | undefined
}

export interface AnnouncedHost {
  readonly announceHost?: string | undefined
  readonly announceAddress?: string | undefined
}

/** @param listen `host` is an IP address */
export function listenAddresses(listen: RelayPorts): string[] {
  const base = hostPrefix(listen.host)
  const wanted: [PortOrOff, (port: number) => string][] = [
    [listen.tcp, (port) => `${base}/tcp/${port}`],
    [listen.ws, (port) => `${base}/tcp/${port}/ws`],
    [listen.webrtc, (port) => `${base}/udp/${port}/webrtc-direct`],
    [listen.quic ?? 'off', (port) => `${base}/udp/${port}/quic-v1`],
  ]
  return wanted.flatMap(([port, address]) => (port === 'off' ? [] : [address(port)]))
}

/** `address` with the host under which others reach the relay, if one is given. */
export function announceAs(address: string, { announceHost, announceAddress }: AnnouncedHost): string {
  const host = address.includes('/webrtc-direct') ? (announceAddress ?? announceHost) : announceHost
  return host === undefined ? address : address.replace(/^\/(ip4|ip6)\/[^/]+/, hostPrefix(host))
}

/** The beginning of a multiaddr for an IP address or a name. */
export function hostPrefix(host: string): string {
  if (host.includes(':')) return `/ip6/${host}`
  return /^\d+(\.\d+){3}$/.test(host) ? `/ip4/${host}` : `/dns/${host}`
}
