/**
 * Ports by UPnP, the Internet Gateway Device of version 1 and 2 (WANIPConnection:1 §2.4, which the second kept). Talks to
 * the router alone, reads at most 64 KiB of what it says, and follows no redirect.
 */
import type { Clock, Random } from '@skein/core'
import { XMLParser } from 'fast-xml-parser'
import { findDescription } from './ssdp.ts'
import { LIFETIME_S, type MappingTarget, type MappingWay, type OutsidePort, refusedBy } from './way.ts'

const MAX_BYTES = 65_536
/** Descriptions are four devices deep. */
const MAX_DEPTH = 16
const SERVICE = /^urn:schemas-upnp-org:service:WAN(IP|PPP)Connection:[12]$/
/** Error codes: another has this port; this router gives ports for ever only. */
const CONFLICT = 718
const PERMANENT_ONLY = 725
const MAX_PORTS_TRIED = 4

const parser = new XMLParser({ removeNSPrefix: true, processEntities: false, parseTagValue: false, trimValues: true })

interface Service {
  readonly type: string
  readonly control: URL
}

export interface UpnpDeps {
  readonly clock: Pick<Clock, 'sleep'>
  readonly random: Pick<Random, 'uniform'>
  /** UDP port of the router's discovery; for tests. */
  readonly discoveryPort?: number
}

export function upnpWay({ clock, random, discoveryPort }: UpnpDeps): MappingWay {
  const find = async (target: MappingTarget): Promise<Service | undefined> => {
    const place = await findDescription({ ...target, clock, discoveryPort })
    return place === undefined ? undefined : serviceIn(await exchange(place, { signal: target.signal }), place)
  }
  const map = async (target: MappingTarget): Promise<OutsidePort | undefined> => {
    const service = await find(target)
    if (service === undefined) return undefined
    const host = textAt(await call(service, { action: 'GetExternalIPAddress', signal: target.signal }), 'NewExternalIPAddress')
    let wanted = target.wanted
    for (let tried = 0; tried < MAX_PORTS_TRIED; tried += 1) {
      const { code, lifetimeS } = await add(service, { ...target, wanted })
      if (code === 0) return { host, port: wanted, lifetimeS }
      if (code !== CONFLICT) throw refusedBy('upnp', code)
      wanted = 1_024 + Math.floor(random.uniform() * 64_000)
    }
    throw refusedBy('upnp', CONFLICT)
  }
  const unmap = async (target: MappingTarget, { port }: OutsidePort): Promise<void> => {
    const service = await find(target)
    const values = { NewRemoteHost: '', NewExternalPort: port, NewProtocol: 'TCP' }
    if (service !== undefined) await call(service, { action: 'DeletePortMapping', values, signal: target.signal })
  }
  return { name: 'upnp', map, unmap }
}

async function add(service: Service, target: MappingTarget): Promise<{ readonly code: number; readonly lifetimeS: number }> {
  for (const lifetimeS of [LIFETIME_S, 0]) {
    const values = {
      NewRemoteHost: '',
      NewExternalPort: target.wanted,
      NewProtocol: 'TCP',
      NewInternalPort: target.port,
      NewInternalClient: target.host,
      NewEnabled: 1,
      NewPortMappingDescription: 'Skein',
      NewLeaseDuration: lifetimeS,
    }
    const code = errorIn(await call(service, { action: 'AddPortMapping', values, signal: target.signal }))
    if (code !== PERMANENT_ONLY) return { code, lifetimeS }
  }
  return { code: PERMANENT_ONLY, lifetimeS: 0 }
}

interface Call {
  readonly action: string
  /** In the order of the service's description; none needs escaping. */
  readonly values?: Readonly<Record<string, string | number>>
  readonly signal: AbortSignal
}

async function call({ type, control }: Service, { action, values = {}, signal }: Call): Promise<unknown> {
  const fields = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`)
  const body = `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:${action} xmlns:u="${type}">${fields.join('')}</u:${action}></s:Body></s:Envelope>`
  return exchange(control, { body, soapAction: `"${type}#${action}"`, signal })
}

interface Exchange {
  readonly body?: string
  readonly soapAction?: string
  readonly signal: AbortSignal
}

/** @throws Error when the router does not answer, or too much, or no XML */
async function exchange(url: URL, { body, soapAction, signal }: Exchange): Promise<unknown> {
  const response = await fetch(url, {
    redirect: 'error',
    signal,
    ...(body === undefined
      ? {}
      : { method: 'POST', body, headers: { 'content-type': 'text/xml; charset="utf-8"', soapaction: soapAction ?? '' } }),
  })
  const parts: Uint8Array[] = []
  let total = 0
  for await (const part of response.body ?? []) {
    total += part.length
    if (total > MAX_BYTES) throw new Error('the router says too much')
    parts.push(part)
  }
  return parser.parse(Buffer.concat(parts).toString('utf8'))
}

/** The connection service of the description, wherever it stands in the tree; its control address must be on the router too. */
export function serviceIn(description: unknown, place: URL): Service | undefined {
  for (const each of objectsIn(description)) {
    const { serviceType: type, controlURL } = each
    if (typeof type !== 'string' || !SERVICE.test(type) || typeof controlURL !== 'string') continue
    const control = URL.canParse(controlURL, place) ? new URL(controlURL, place) : undefined
    if (control?.protocol === 'http:' && control.hostname === place.hostname) return { type, control }
  }
  return undefined
}

/** The error code of an answer, 0 for none. */
function errorIn(answer: unknown): number {
  for (const { errorCode } of objectsIn(answer)) if (errorCode !== undefined) return Number(errorCode) || -1
  return 0
}

/** @throws Error when there is none */
function textAt(answer: unknown, name: string): string {
  for (const each of objectsIn(answer)) if (typeof each[name] === 'string') return each[name]
  throw refusedBy('upnp', errorIn(answer))
}

function* objectsIn(value: unknown, depth = 0): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return
  if (!Array.isArray(value)) yield value as Record<string, unknown>
  for (const each of Object.values(value)) yield* objectsIn(each, depth + 1)
}
