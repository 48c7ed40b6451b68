/** Addresses as an operator counts them: one by one, and by the network that one customer of a provider usually has. */
import type { Origin } from '@skein/core'
import ipaddr from 'ipaddr.js'

/** Bits of the network of one customer or one carrier NAT: RFC 6177 gives sites up to a /48. */
const IPV4_BITS = 24
const IPV6_BITS = 48
/** One machine of IPv6 has as many addresses as it likes in its /64 (RFC 4291 §2.5.1). */
const IPV6_HOST_BITS = 64

/** The address, of IPv6 its /64, and its network; nothing for what is no IP address. */
export function groupsOf(address: string): readonly string[] {
  if (!ipaddr.isValid(address)) return []
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return [parsed.toString(), prefix(parsed, IPV4_BITS)]
  return [prefix(parsed, IPV6_HOST_BITS), prefix(parsed, IPV6_BITS)]
}

/** For what is counted by address and network. */
export function originOf(address: string | undefined, connection = ''): Origin {
  const [own, network] = address === undefined ? [] : groupsOf(address)
  return { connection, address: own, network }
}

function prefix(address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): string {
  const network =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${bits}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${bits}`)
  return `${network.toString()}/${bits}`
}
