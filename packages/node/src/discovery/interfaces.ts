/** The interfaces of this machine as discovery uses them. */
import { BlockList, isIPv6 } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import type { LanSource } from '@skein/core'
import ipaddr from 'ipaddr.js'

/** One of our addresses on one interface. */
export interface Link {
  readonly family: 4 | 6
  /** Without a zone. */
  readonly address: string
  /** What a link-local IPv6 address needs beside it: a name, or a number on Windows. Null for IPv4. */
  readonly zone: string | null
  /** Where all hosts on an IPv4 network hear; null where there is no such address, as on a tunnel. */
  readonly broadcast: string | null
  /** Leading bits that the addresses of this network share. */
  readonly prefix: number
}

/** Names a link among all. */
export const linkKey = ({ address, zone }: Link): string => `${address}%${zone ?? ''}`

/** All links but loopback; of IPv6 the link-local ones, for discovery never leaves the link. */
export function localLinks(list: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces()): readonly Link[] {
  return Object.entries(list).flatMap(([name, infos = []]) => infos.flatMap((info) => linkOf(name, info) ?? []))
}

function linkOf(name: string, info: NetworkInterfaceInfo): Link | undefined {
  if (info.internal) return undefined
  const { address } = info
  if (info.family === 'IPv4') {
    const prefix = ipaddr.IPv4.parse(info.netmask).prefixLengthFromSubnetMask() ?? WHOLE_ADDRESS
    return { family: 4, address, zone: null, broadcast: broadcastOf(info), prefix }
  }
  if (!address.startsWith('fe80:')) return undefined
  const zone = process.platform === 'win32' ? String(info.scopeid) : name
  return { family: 6, address, zone, broadcast: null, prefix: LINK_LOCAL6.prefix }
}

/** Bits of an IPv4 address: a network of one. */
const WHOLE_ADDRESS = 32
/** RFC 3927 §2.1, RFC 4291 §2.5.6: never routed, and so always of the link, whatever else its addresses are. */
const LINK_LOCAL4 = { net: '169.254.0.0', prefix: 16 } as const
const LINK_LOCAL6 = { net: 'fe80::', prefix: 10 } as const

/** Tells who is on one of the links, as RFC 6762 §11 wants it of senders: what comes from elsewhere was sent to look as if it came from here. */
export function onLink(links: readonly Link[]): (source: LanSource) => boolean {
  const near = new BlockList()
  const zones = new Set(links.flatMap(({ zone }) => zone ?? []))
  near.addSubnet(LINK_LOCAL6.net, LINK_LOCAL6.prefix, 'ipv6')
  for (const { family, address, prefix } of links) {
    if (family === 6) continue
    near.addSubnet(LINK_LOCAL4.net, LINK_LOCAL4.prefix, 'ipv4')
    near.addSubnet(address, prefix, 'ipv4')
  }
  return ({ address, zone }) => (isIPv6(address) ? zones.has(zone ?? '') && near.check(address, 'ipv6') : near.check(address, 'ipv4'))
}

/** Longest prefix of an IPv4 network that has a broadcast address (RFC 3021). */
const LONGEST_PREFIX = 30

export function broadcastOf({ address, netmask }: Pick<NetworkInterfaceInfo, 'address' | 'netmask'>): string | null {
  const length = ipaddr.IPv4.parse(netmask).prefixLengthFromSubnetMask()
  if (length === null || length > LONGEST_PREFIX) return null
  return ipaddr.IPv4.broadcastAddressFromCIDR(`${address}/${length}`).toString()
}
