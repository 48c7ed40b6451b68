/** Addresses as an operator counts them: one by one, and by the network that one customer of a provider usually has. */
import ipaddr from 'ipaddr.js'

/** Bits of the network of one customer or one carrier NAT: RFC 6177 gives sites up to a /48. */
const IPV4_BITS = 24
const IPV6_BITS = 48

/** The address and its network; nothing for what is no IP address. */
export function groupsOf(address: string): readonly string[] {
  if (!ipaddr.isValid(address)) return []
  const parsed = ipaddr.process(address)
  const isV4 = parsed.kind() === 'ipv4'
  const network = isV4
    ? ipaddr.IPv4.networkAddressFromCIDR(`${parsed.toString()}/${IPV4_BITS}`)
    : ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_BITS}`)
  return [parsed.toString(), `${network.toString()}/${isV4 ? IPV4_BITS : IPV6_BITS}`]
}
