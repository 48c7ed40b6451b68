/** `skein-relay doctor`: looks at a relay as its members see it, and says what is wrong in sentences. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { statfs } from 'node:fs/promises'
import { connect, isIP } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { BINDING_REQUEST, encodeStun, MAX_RELAY_ADDRESSES, peerIdFromSeed, probeRelay } from '@skein/node/swarm'
import * as z from 'zod'
import { hostPort, publicHost, type RelayConfig, withHttps } from '../config.ts'
import { loadOrCreateSeed } from '../identity.ts'
import { isPublic } from './address.ts'
import { present } from './present.ts'

/** One check, ms. */
const WITHIN_MS = 10_000
/** Clocks further apart make presences and invites look expired, ms. */
const MAX_SKEW_MS = 60_000
/** A certificate with less left has not been renewed, days. */
const MIN_CERTIFICATE_DAYS = 14
/** RFC 8489 §5. */
const TRANSACTION_BYTES = 12
/** Below this the store may fill up, bytes. */
const MIN_FREE_BYTES = 500e6
/** `[address]:port` of IPv6 and a line feed, characters. */
const MAX_REFLECTED_CHARS = 64

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

const descriptionSchema = z.looseObject({
  peer_id: z.string().max(128),
  addresses: z.array(z.string().max(512)).max(MAX_RELAY_ADDRESSES),
  stun: z.array(z.string().max(256)).max(8).default([]),
  reflector: z.string().max(256).nullish(),
})
type Description = z.infer<typeof descriptionSchema>

/** What a relay says of itself, and how far its clock and this one are apart. */
interface Told {
  readonly description: Description
  readonly skewMs: number
}

/** Where a relay was asked, and what it told. */
interface Asked {
  readonly url: string
  readonly told: Told | undefined
}

/** Sets the exit code to 1 when something is wrong. */
export async function diagnose(config: RelayConfig, given: string | undefined): Promise<void> {
  const url = given ?? ownUrl(config)
  const dns = await check('dns', () => checkDns(url))
  const { http, asked } = await ask(config, { url, given })
  const checks = [dns, http, ...(await checksOf(config, { url, given, asked }))]
  present({ url, ok: checks.every(({ ok }) => ok), checks }, config.json)
  if (checks.some(({ ok }) => !ok)) process.exitCode = 1
}

/** The one here is asked behind its own door where the front one is shut, just when somebody wants to know about the others. */
async function ask(
  config: RelayConfig,
  { url, given }: { readonly url: string; readonly given: string | undefined },
): Promise<{ readonly http: Check; readonly asked: Asked }> {
  let told: Told | undefined
  const http = await check('http', async () => {
    told = await askDescription(url)
    return `described as ${told.description.peer_id}`
  })
  const back = given === undefined && told === undefined ? backDoor(config) : undefined
  if (back === undefined) return { http, asked: { url, told } }
  return { http, asked: { url: back, told: await askDescription(back).catch(() => undefined) } }
}

async function checksOf(
  config: RelayConfig,
  { url, given, asked }: { readonly url: string; readonly given: string | undefined; readonly asked: Asked },
): Promise<Check[]> {
  const { told } = asked
  const own = await ownPeerId(config)
  const isOwn = told !== undefined && told.description.peer_id === own
  return [
    ...(given !== undefined || told === undefined || own === undefined ? [] : [await check('identity', () => checkIdentity(isOwn, url))]),
    ...(told === undefined ? [] : [await check('clock', () => checkClock(told.skewMs, isOwn))]),
    await check('ready', () => checkReady(asked.url)),
    ...(url.startsWith('https:') ? [await check('tls', () => checkTls(url))] : []),
    ...(told === undefined ? [] : await checkDescribed(url, told.description)),
    // The disk of this machine is that of another relay only by chance.
    ...(given === undefined || isOwn ? [await check('disk', () => checkDisk(config.dataDir))] : []),
  ]
}

function ownUrl(config: RelayConfig): string {
  const { frontUrl } = withHttps(config, config.https === 'off' ? undefined : config.https)
  return frontUrl ?? `http://${hostPort(publicHost(config) ?? '127.0.0.1', config.http === 'off' ? 0 : config.http)}`
}

/** Its HTTP port as this machine reaches it. */
function backDoor({ host, http }: RelayConfig): string | undefined {
  const here = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return http === 'off' ? undefined : `http://${hostPort(here, http)}`
}

/** Of the relay of this data directory, if there is one. */
async function ownPeerId({ dataDir }: RelayConfig): Promise<string | undefined> {
  return existsSync(join(dataDir, 'identity.seed')) ? peerIdFromSeed(loadOrCreateSeed(dataDir)) : undefined
}

async function checkIdentity(isOwn: boolean, url: string): Promise<string> {
  if (!isOwn) throw new Error(`${url} leads to another relay than the one of this data directory`)
  return 'it is the relay of this data directory'
}

async function checkDescribed(url: string, description: Description): Promise<Check[]> {
  const { reflector } = description
  return [
    ...(await checkAddresses(url, description)),
    ...(await checkStun(description)),
    ...(reflector == null ? [] : [await check('reflector', () => checkReflector(reflector))]),
  ]
}

async function check(name: string, run: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await run() }
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}

async function checkDisk(dataDir: string): Promise<string> {
  const { bavail, bsize } = await statfs(dataDir)
  const free = bavail * bsize
  if (free < MIN_FREE_BYTES) throw new Error(`only ${Math.round(free / 1e6)} MB are free in ${dataDir}`)
  return `${Math.round(free / 1e9)} GB free`
}

async function checkDns(url: string): Promise<string> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return `${host} needs none`
  const found = await lookup(host, { all: true })
  return found.map(({ address }) => address).join(', ')
}

async function askDescription(url: string): Promise<Told> {
  const response = await fetch(new URL('relay.json', url.endsWith('/') ? url : `${url}/`), { signal: AbortSignal.timeout(WITHIN_MS) })
  if (!response.ok) throw new Error(`/relay.json is answered with ${response.status}`)
  const skewMs = Math.abs(Date.now() - Date.parse(response.headers.get('date') ?? ''))
  return { description: descriptionSchema.parse(await response.json()), skewMs }
}

async function checkClock(skewMs: number, isOwn: boolean): Promise<string> {
  if (Number.isNaN(skewMs)) throw new Error('the relay does not tell its time')
  if (skewMs > MAX_SKEW_MS) throw new Error(`its clock and this one differ by ${Math.round(skewMs / 1_000)} s; run an NTP client`)
  if (isOwn) return 'it is the one of this machine, so that only the doctor on another machine can tell whether it is right'
  return `it and this one differ by less than ${Math.ceil(skewMs / 1_000) + 1} s`
}

async function checkReady(url: string): Promise<string> {
  const response = await fetch(new URL('readyz', url.endsWith('/') ? url : `${url}/`), { signal: AbortSignal.timeout(WITHIN_MS) })
  const { waiting } = z.looseObject({ waiting: z.array(z.string()) }).parse(await response.json())
  if (!response.ok) throw new Error(`not ready: ${waiting.join(', ')}`)
  return 'every part is ready'
}

async function checkTls(url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connectTls({ host: hostname, port: Number(port || 443), servername: isIP(hostname) === 0 ? hostname : undefined })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(WITHIN_MS) })
    const days = (Date.parse(socket.getPeerCertificate().valid_to) - Date.now()) / 86_400_000
    if (days < MIN_CERTIFICATE_DAYS) throw new Error(`the certificate ends in ${Math.floor(days)} days and was not renewed`)
    return `${socket.getProtocol() ?? 'TLS'}, certificate for another ${Math.floor(days)} days`
  } finally {
    socket.destroy()
  }
}

/** Behind a 1:1 NAT a relay that was told nothing announces what nobody outside can reach, and from inside all looks well. */
function checkAnnounced(url: string, hosts: readonly string[]): string {
  const isOpen = hosts.some((host) => isIP(host) === 0 || isPublic(host))
  const asked = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (isOpen) return hosts.join(', ')
  if (isIP(asked) === 0 ? asked === 'localhost' : !isPublic(asked)) return `${hosts.join(', ')}: reached from its own network alone`
  throw new Error(`only ${hosts.join(', ')}, which nobody outside can reach; set SKEIN_RELAY_ANNOUNCE_HOST`)
}

async function checkAddresses(url: string, { addresses }: Description): Promise<Check[]> {
  const results = await probeRelay(addresses, { withinMs: WITHIN_MS })
  const reached = results.map(({ address, error, ms }) => ({
    name: nameOf(address),
    ok: error === undefined,
    detail: error === undefined ? `${address.replace(/\/p2p\/.*/, '')} in ${ms} ms` : `${address}: ${error}`,
  }))
  const hosts = [...new Set(results.map(({ host }) => host))]
  return [await check('announced', async () => checkAnnounced(url, hosts)), ...reached]
}

function nameOf(address: string): string {
  if (address.includes('/webrtc-direct')) return 'webrtc-direct'
  if (address.includes('/quic')) return 'quic'
  if (/\/(wss|tls\/ws)/.test(address)) return 'wss'
  return address.includes('/ws') ? 'websocket' : 'tcp'
}

/** It says under which address it sees us, and closes. */
async function checkReflector(place: string): Promise<string> {
  const { hostname, port } = new URL(`tcp://${place}`)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
  try {
    const [seen] = (await once(socket, 'data', { signal: AbortSignal.timeout(WITHIN_MS) })) as [Buffer]
    const text = seen.toString('latin1').slice(0, MAX_REFLECTED_CHARS).trim()
    if (!/^\[?[0-9a-f.:]+\]?:\d{1,5}$/.test(text)) throw new Error(`${place} answers something else`)
    return `${place} sees this machine as ${text}`
  } catch (error) {
    throw new Error(`${place}: ${error instanceof Error ? error.message : String(error)}; is the TCP port open?`, { cause: error })
  } finally {
    socket.destroy()
  }
}

async function checkStun({ stun }: Description): Promise<Check[]> {
  return Promise.all(stun.map((each) => check('stun', () => askStun(each))))
}

async function askStun(uri: string): Promise<string> {
  const [, host = '', port = '3478'] = /^stuns?:\[?([^\]]+?)\]?(?::(\d+))?$/.exec(uri) ?? []
  const { address, family } = await lookup(host)
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  try {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(WITHIN_MS) })
    socket.send(encodeStun({ type: BINDING_REQUEST, transaction: randomBytes(TRANSACTION_BYTES), attributes: [] }), Number(port), address)
    await answer
    return `${uri} answers`
  } catch (error) {
    throw new Error(`${uri} does not answer; is the UDP port open?`, { cause: error })
  } finally {
    socket.close()
  }
}
