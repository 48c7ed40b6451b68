/** Multiaddrs a relay listens on and those it announces. */
import ipaddr from 'ipaddr.js'
import { MAX_RELAY_ADDRESSES } from './constants.ts'

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

/** @param listen `host` is an IP address; `::` means IPv4 as well, as it does for the pages */
export function listenAddresses(listen: RelayPorts): string[] {
  return listen.host === '::' ? [...listenAt(listen), ...listenAt({ ...listen, host: '0.0.0.0' })] : listenAt(listen)
}

function listenAt(listen: RelayPorts): string[] {
  const base = hostPrefix(listen.host)
  const wanted: [PortOrOff, (port: number) => string][] = [
    [listen.tcp, (port) => `${base}/tcp/${port}`],
    [listen.ws, (port) => `${base}/tcp/${port}/ws`],
    [listen.webrtc, (port) => `${base}/udp/${port}/webrtc-direct`],
    [listen.quic ?? 'off', (port) => `${base}/udp/${port}/quic-v1`],
  ]
  return wanted.flatMap(([port, address]) => (port === 'off' ? [] : [address(port)]))
}

/** Whether somebody can dial it who reads it elsewhere: an address of one link means nothing without the name of that link. */
export function isDialable(address: string): boolean {
  return !/^\/ip6\/fe[89ab][0-9a-f]:/i.test(address)
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

/**
 * No more than a client takes: a machine with many networks has an address in each for every transport. Those go first that most
 * can reach, each with all of its transports.
 */
export function fewEnough(addresses: readonly string[]): readonly string[] {
  if (addresses.length <= MAX_RELAY_ADDRESSES) return addresses
  const byHost = Map.groupBy(addresses, (each) => each.split('/')[2] ?? '')
  const hosts = [...byHost.keys()].toSorted((a, b) => remotenessOf(a) - remotenessOf(b))
  return hosts.flatMap((host) => byHost.get(host) ?? []).slice(0, MAX_RELAY_ADDRESSES)
}

/** How few can reach it. Container engines give their bridges 172.16.0.0/12, which nobody outside the machine reaches. */
function remotenessOf(host: string): number {
  if (!ipaddr.isValid(host)) return 0
  const address = ipaddr.process(host)
  const ranks: readonly string[] = ['unicast', 'carrierGradeNat', 'private', 'uniqueLocal', 'linkLocal', 'loopback']
  const isBridge = address.kind() === 'ipv4' && address.match(ipaddr.parseCIDR('172.16.0.0/12'))
  return isBridge ? ranks.indexOf('linkLocal') : ranks.indexOf(address.range())
}
