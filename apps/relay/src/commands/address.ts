/**
 * Under which address others reach this machine, as far as it can tell without asking anybody but its provider: rented machines
 * of some providers have a private address alone, and the public one is turned into it on the way (1:1 NAT).
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import ipaddr from 'ipaddr.js'

/** Documentation networks (RFC 5737, RFC 3849): nothing is sent there; the system only says where it would leave. */
const ANYWHERE = { udp4: '192.0.2.1', udp6: '2001:db8::1' } as const
/** Where providers tell a machine about itself: a link-local address that leads no further than their own network. */
const PROVIDER = 'http://169.254.169.254'
/** A provider answers at once; elsewhere nobody does. Milliseconds. */
const PROVIDER_WITHIN_MS = 1_500
/** Longest address in an answer, characters. */
const MAX_ADDRESS_CHARS = 64

export interface OwnAddress extends Record<string, unknown> {
  /** `null` where this machine has no way out. */
  readonly address: string | null
  /** Whether it is reached there from everywhere. */
  readonly public: boolean
  readonly source: 'interface' | 'provider'
}

/** @param provider base URL of the provider's service for its machines */
export async function ownAddress(provider = PROVIDER): Promise<OwnAddress> {
  const address = (await leavingBy('udp4')) ?? (await leavingBy('udp6'))
  if (address === undefined || isPublic(address)) return { address: address ?? null, public: address !== undefined, source: 'interface' }
  const told = await askProvider(provider)
  return told === undefined ? { address, public: false, source: 'interface' } : { address: told, public: true, source: 'provider' }
}

/** Neither private nor of a carrier's NAT, loopback or the like. */
export function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}

/** The address of the interface through which packets for the world leave; none where there is no route. */
async function leavingBy(family: keyof typeof ANYWHERE): Promise<string | undefined> {
  const socket = createSocket(family)
  try {
    const connected = once(socket, 'connect')
    socket.connect(9, ANYWHERE[family])
    await connected
    return socket.address().address
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}

/** The first answer that is a public address, of the ways in which providers are asked. */
export async function askProvider(base: string): Promise<string | undefined> {
  const ways = [amazon(base), google(base), azure(base), openStack(base)].map(async (way) => {
    const text = (await way).trim()
    if (text.length > MAX_ADDRESS_CHARS || !isPublic(text)) throw new Error('no public address')
    return text
  })
  return Promise.any(ways).catch(() => undefined)
}

async function ask(url: string, options: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { ...options, redirect: 'error', signal: AbortSignal.timeout(PROVIDER_WITHIN_MS) })
  if (!response.ok) throw new Error(`answered with ${response.status}`)
  return response.text()
}

/** Version 2 of the service of EC2: a token first. */
async function amazon(base: string): Promise<string> {
  const token = await ask(`${base}/latest/api/token`, { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' } })
  return ask(`${base}/latest/meta-data/public-ipv4`, { headers: { 'x-aws-ec2-metadata-token': token } })
}

const google = (base: string): Promise<string> =>
  ask(`${base}/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip`, { headers: { 'metadata-flavor': 'Google' } })

const azure = (base: string): Promise<string> =>
  ask(`${base}/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress?api-version=2021-02-01&format=text`, {
    headers: { metadata: 'true' },
  })

/** OpenStack and others that speak as EC2 did at first. */
const openStack = (base: string): Promise<string> => ask(`${base}/latest/meta-data/public-ipv4`)
