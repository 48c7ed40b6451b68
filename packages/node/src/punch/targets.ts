/** Addresses that one may be asked to dial by the other side, and those one tells it. */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import ipaddr from 'ipaddr.js'
import { MAX_TARGETS } from './constants.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Which hosts may be dialled at somebody else's word. */
export type MayDial = (host: string) => boolean

/** Not a host of this machine's own networks, and none that stands for several. */
export const isPublic: MayDial = (host) => isIP(host) !== 0 && ipaddr.process(host).range() === 'unicast'

/** The TCP endpoints among multiaddrs in binary form, at most MAX_TARGETS; whatever else there is, is left out. */
export function targetsOf(addresses: readonly Uint8Array[], mayDial: MayDial): readonly Endpoint[] {
  const found = new Map<string, Endpoint>()
  for (const bytes of addresses) {
    const endpoint = endpointOf(bytes)
    if (endpoint !== undefined && mayDial(endpoint.host)) found.set(`${endpoint.host} ${endpoint.port}`, endpoint)
  }
  return [...found.values()].slice(0, MAX_TARGETS)
}

function endpointOf(bytes: Uint8Array): Endpoint | undefined {
  try {
    const [ip, tcp, ...rest] = multiaddr(bytes).getComponents()
    if (!/^ip[46]$/.test(ip?.name ?? '') || tcp?.name !== 'tcp' || rest.some(({ name }) => name !== 'p2p')) return undefined
    const port = Number(tcp.value)
    return ip?.value === undefined || !(port > 0) ? undefined : { host: ip.value, port }
  } catch {
    return undefined
  }
}

export function addressOf({ host, port }: Endpoint): Multiaddr {
  return multiaddr(`/ip${isIP(host)}/${host}/tcp/${port}`)
}

/** `host:port` or `[host]:port`, as relays write it; `undefined` for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  return host === undefined || Number(port) > 65_535 || Number(port) === 0 ? undefined : { host, port: Number(port) }
}

/** Addresses of this machine that the whole internet knows, if it has any: no NAT lies before them. */
export function ownPublicHosts(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && isPublic(address))
    .map(({ address }) => address)
    .slice(0, MAX_TARGETS)
}
