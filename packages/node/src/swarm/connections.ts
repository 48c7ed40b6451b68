/** Which connection to a device to use, and what it is. */
import type { Connection } from '@libp2p/interface'
import type { DeviceId, PeerPath } from '@skein/core'

/** A relayed connection; a WebRTC one that was only arranged over a relay is direct. */
export function isRelayed(connection: Connection): boolean {
  const address = connection.remoteAddr.toString()
  return address.includes('/p2p-circuit') && !address.includes('/webrtc')
}

/** Direct before relayed, then the oldest: both sides settle on the same one. */
export function pick(connections: readonly Connection[]): Connection | undefined {
  const open = connections.filter((each) => each.status === 'open')
  return open.sort((a, b) => Number(isRelayed(a)) - Number(isRelayed(b)) || a.timeline.open - b.timeline.open)[0]
}

const TRANSPORTS: readonly [RegExp, string][] = [
  [/\/webrtc-direct/, 'webrtc-direct'],
  [/\/webrtc/, 'webrtc'],
  [/\/p2p-circuit/, 'circuit'],
  [/\/wss?(\/|$)/, 'ws'],
  [/\/tcp\//, 'tcp'],
]

const PRIVATE = /^\/ip4\/(10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)|^\/ip6\/(::1|fe80|f[cd])/

export function pathOf(device: DeviceId, connection: Connection, rttMs: number | null): PeerPath {
  const address = connection.remoteAddr.toString()
  const path = isRelayed(connection) ? 'relayed' : PRIVATE.test(address) ? 'lan' : 'direct'
  return { device, path, transport: TRANSPORTS.find(([pattern]) => pattern.test(address))?.[1] ?? 'unknown', rttMs, since: connection.timeline.open }
}
