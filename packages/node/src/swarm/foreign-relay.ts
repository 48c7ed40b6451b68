/**
 * Asking relays that other people name. A contact's card may name any host: one that leads into this machine, or to an
 * address that only it can reach, is not asked unless the user's own relays are of that kind too (a relay on the same
 * machine, for tests and for trying Skein out).
 */
import ipaddr from 'ipaddr.js'
import type { MayReach } from './asking.ts'

/** No host has such an address. */
const NOWHERE = new Set(['unspecified', 'broadcast', 'multicast', 'name'])
/** Reach no further than this machine or its link; a cloud's metadata service is there. */
const NEARBY = new Set(['loopback', 'linkLocal'])

/** @param own hosts of the user's own relays, names or IP addresses; who has none is reached only over those of others, wherever they are */
export function reachOf(own: readonly string[]): MayReach {
  const kinds = new Set(own.map(kindOf))
  return (address) => {
    const kind = kindOf(address)
    // Private networks are allowed: relays stand behind home routers, and on a LAN without internet.
    return !NOWHERE.has(kind) && (!NEARBY.has(kind) || kinds.size === 0 || kinds.has(kind))
  }
}

/** Whether it is an IP address, in any of the forms that a browser takes for one. */
export const isAddress = (host: string): boolean => ipaddr.isValid(host)

/** The kind of an IP address as in the IANA special-purpose registries; a name has none, except that of this machine. */
function kindOf(host: string): string {
  if (host === 'localhost') return 'loopback'
  return ipaddr.isValid(host) ? ipaddr.process(host).range() : 'name'
}
