/**
 * Asking relays that other people name. A contact's card may name any host: one that leads into this machine, or to an
 * address that only it can reach, is not asked unless the user's own relays are of that kind too (a relay on the same
 * machine, for tests and for trying Skein out).
 */
import { lookup as resolve } from 'node:dns'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/** No host has such an address. */
const NOWHERE = new Set(['unspecified', 'broadcast', 'multicast', 'name'])
/** Reach no further than this machine or its link; a cloud's metadata service is there. */
const NEARBY = new Set(['loopback', 'linkLocal'])

/** Whether what others name may lead to `address`, an IP address. */
export type MayReach = (address: string) => boolean

/** @param own hosts of the user's own relays, names or IP addresses */
export function reachOf(own: readonly string[]): MayReach {
  const kinds = new Set(own.map(kindOf))
  return (address) => {
    const kind = kindOf(address)
    // Private networks are allowed: relays stand behind home routers, and on a LAN without internet.
    return !NOWHERE.has(kind) && (!NEARBY.has(kind) || kinds.has(kind))
  }
}

/** The host in a relay's URL, an IPv6 address without brackets; empty when it is no URL. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : ''
}

/** The kind of an IP address as in the IANA special-purpose registries; a name has none, except that of this machine. */
function kindOf(host: string): string {
  if (host === 'localhost') return 'loopback'
  return ipaddr.isValid(host) ? ipaddr.process(host).range() : 'name'
}

/**
 * GET without redirects, cookies or proxies; the address that is asked is the one that was judged.
 * @throws Error when the host may not be reached, does not answer, or answers with another status than 200 or too much
 */
export async function getText(url: URL, options: { signal: AbortSignal; maxBytes: number; mayReach: MayReach }): Promise<string> {
  const { signal, maxBytes, mayReach } = options
  const host = hostOf(url.href)
  if (isIP(host) !== 0 && !mayReach(host)) throw new Error('an address that others may not name')
  const { get } = url.protocol === 'https:' ? https : http
  const response = await new Promise<IncomingMessage>((done, failed) =>
    get(url, { signal, lookup: guardedLookup(mayReach), agent: false, headers: { accept: 'application/json' } }, done).once(
      'error',
      failed,
    ),
  )
  try {
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
    return await readBounded(response, maxBytes)
  } finally {
    response.destroy()
  }
}

function guardedLookup(mayReach: MayReach): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const [first, ...rest] = error === null ? found.filter(({ address }) => mayReach(address)) : []
      if (first === undefined) return callback(error ?? new Error('a name that others may not name'), [])
      if (options.all) return callback(null, [first, ...rest])
      callback(null, first.address, first.family)
    })
}

async function readBounded(response: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const parts: Buffer[] = []
  let total = 0
  for await (const part of response) {
    total += part.length
    if (total > maxBytes) throw new Error('too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
