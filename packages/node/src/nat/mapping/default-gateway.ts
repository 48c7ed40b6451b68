/** The router that leads out of the local network. */
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'

/** IPv4 address; nothing where there is no network. */
export async function defaultGateway(): Promise<string | undefined> {
  // Asks a program of the system: loaded when a router is wanted.
  const { gateway4async } = await import('default-gateway')
  const found = await gateway4async().catch(() => undefined)
  if (found?.gateway !== undefined && isIPv4(found.gateway)) return found.gateway
  return usualRouter()
}

/** The first address of a private network, where most home routers are: newer Windows has lost the program that is asked. */
function usualRouter(): string | undefined {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const home = own.find(
    ({ family, internal, address }) => family === 'IPv4' && !internal && ipaddr.IPv4.parse(address).range() === 'private',
  )
  if (home?.cidr === undefined || home.cidr === null) return undefined
  const octets = ipaddr.IPv4.networkAddressFromCIDR(home.cidr).octets
  const first = [...octets.slice(0, 3), (octets[3] ?? 0) + 1].join('.')
  return first === home.address ? undefined : first
}
