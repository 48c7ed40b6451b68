/** Where the router's description is: a search by UPnP's discovery (UPnP Device Architecture 1.1 §1.3). */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Clock } from '@skein/core'

const GROUP = '239.255.255.250'
export const SSDP_PORT = 1_900
/** Rounds of questions, and how long each waits, ms: routers answer within a second (MX). */
const ROUNDS = 2
const ROUND_MS = 1_200
const LOCATION = /^location:[ \t]*(\S{1,300})[ \t]*$/im

const search = (version: number): string =>
  [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${GROUP}:${SSDP_PORT}`,
    'MAN: "ssdp:discover"',
    'MX: 1',
    `ST: urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`,
    '',
    '',
  ].join('\r\n')

export interface SearchOptions {
  /** IPv4 address of the router: nobody else is listened to. */
  readonly gateway: string
  /** IPv4 address of this machine on that network. */
  readonly host: string
  readonly clock: Pick<Clock, 'sleep'>
  readonly signal: AbortSignal
  /** UDP port of the router's discovery; for tests. */
  readonly discoveryPort?: number | undefined
}

/** The URL that the router names, on the router itself: others on the network cannot send us anywhere. */
export async function findDescription({
  gateway,
  host,
  clock,
  signal,
  discoveryPort = SSDP_PORT,
}: SearchOptions): Promise<URL | undefined> {
  const socket = await bound(host)
  if (socket === undefined) return undefined
  const done = new AbortController()
  let found: URL | undefined
  socket.on('message', (bytes, { address }) => {
    if (address === gateway) found ??= locationIn(bytes.toString('latin1'), gateway)
    if (found !== undefined) done.abort()
  })
  try {
    for (let round = 0; round < ROUNDS && found === undefined && !signal.aborted; round += 1) {
      // To the router itself as well: some networks eat multicast.
      for (const target of [GROUP, gateway])
        for (const version of [1, 2]) socket.send(search(version), discoveryPort, target, () => undefined)
      await clock.sleep(ROUND_MS, { signal: AbortSignal.any([signal, done.signal]) })
    }
    return found
  } finally {
    socket.close()
  }
}

export function locationIn(answer: string, gateway: string): URL | undefined {
  const text = LOCATION.exec(answer)?.[1]
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' && url.hostname === gateway ? url : undefined
}

async function bound(host: string): Promise<Socket | undefined> {
  const socket = createSocket('udp4')
  try {
    socket.bind(0, host)
    await once(socket, 'listening')
    socket.setMulticastInterface(host)
  } catch {
    socket.close()
    return undefined
  }
  socket.on('error', () => undefined)
  return socket
}
