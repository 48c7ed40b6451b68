/** The interfaces of this machine as discovery uses them. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
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
}

/** Names a link among all. */
export const linkKey = ({ address, zone }: Link): string => `${address}%${zone ?? ''}`

/** All links but loopback; of IPv6 the link-local ones, for discovery never leaves the link. */
export function localLinks(list: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces()): readonly Link[] {
  return Object.entries(list).flatMap(([name, infos = []]) => infos.flatMap((info) => linkOf(name, info) ?? []))
}

function linkOf(name: string, info: NetworkInterfaceInfo): Link | undefined {
  if (info.internal) return undefined
  if (info.family === 'IPv4') return { family: 4, address: info.address, zone: null, broadcast: broadcastOf(info) }
  if (!info.address.startsWith('fe80:')) return undefined
  return { family: 6, address: info.address, zone: process.platform === 'win32' ? String(info.scopeid) : name, broadcast: null }
}

/** Longest prefix of an IPv4 network that has a broadcast address (RFC 3021). */
const LONGEST_PREFIX = 30

export function broadcastOf({ address, netmask }: Pick<NetworkInterfaceInfo, 'address' | 'netmask'>): string | null {
  const length = ipaddr.IPv4.parse(netmask).prefixLengthFromSubnetMask()
  if (length === null || length > LONGEST_PREFIX) return null
  return ipaddr.IPv4.broadcastAddressFromCIDR(`${address}/${length}`).toString()
}
