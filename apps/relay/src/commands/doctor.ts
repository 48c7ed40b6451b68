/** `skein-relay doctor`: looks at a relay as its members see it, and says what is wrong in sentences. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { lookup } from 'node:dns/promises'
import { statfs } from 'node:fs/promises'
import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { BINDING_REQUEST, encodeStun, probeRelay } from '@skein/node/swarm'
import * as z from 'zod'
import { hostPort, publicHost, type RelayConfig, withHttps } from '../config.ts'

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

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

const descriptionSchema = z.looseObject({
  peer_id: z.string().max(128),
  addresses: z.array(z.string().max(512)).max(64),
  stun: z.array(z.string().max(256)).max(8).default([]),
})
type Description = z.infer<typeof descriptionSchema>

/** Sets the exit code to 1 when something is wrong. */
export async function diagnose(config: RelayConfig, given: string | undefined): Promise<void> {
  const url =
    given ??
    withHttps(config, config.https === 'off' ? undefined : config.https).frontUrl ??
    `http://${hostPort(publicHost(config) ?? '127.0.0.1', config.http === 'off' ? 0 : config.http)}`
  const found: { description?: Description } = {}
  const checks = [
    await check('disk', () => checkDisk(config.dataDir)),
    await check('dns', () => checkDns(url)),
    await check('http', () => checkHttp(url, found)),
    await check('ready', () => checkReady(url)),
    ...(url.startsWith('https:') ? [await check('tls', () => checkTls(url))] : []),
  ]
  const { description } = found
  if (description !== undefined) checks.push(...(await checkAddresses(description)), ...(await checkStun(description)))
  present({ url, ok: checks.every(({ ok }) => ok), checks }, config.json)
  if (checks.some(({ ok }) => !ok)) process.exitCode = 1
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

async function checkHttp(url: string, found: { description?: Description }): Promise<string> {
  const response = await fetch(new URL('relay.json', url.endsWith('/') ? url : `${url}/`), { signal: AbortSignal.timeout(WITHIN_MS) })
  if (!response.ok) throw new Error(`/relay.json is answered with ${response.status}`)
  found.description = descriptionSchema.parse(await response.json())
  const skew = Math.abs(Date.now() - Date.parse(response.headers.get('date') ?? ''))
  if (skew > MAX_SKEW_MS) throw new Error(`its clock and this one differ by ${Math.round(skew / 1_000)} s; run an NTP client`)
  return `described; clocks differ by less than ${Math.ceil(skew / 1_000) + 1} s`
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

async function checkAddresses({ addresses }: Description): Promise<Check[]> {
  const results = await probeRelay(addresses, { withinMs: WITHIN_MS })
  return results.map(({ address, error, ms }) => ({
    name: nameOf(address),
    ok: error === undefined,
    detail: error === undefined ? `${address.replace(/\/p2p\/.*/, '')} in ${ms} ms` : `${address}: ${error}`,
  }))
}

function nameOf(address: string): string {
  if (address.includes('/webrtc-direct')) return 'webrtc-direct'
  if (/\/(wss|tls\/ws)/.test(address)) return 'wss'
  return address.includes('/ws') ? 'websocket' : 'tcp'
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
