/** The relay as a whole: starts its parts in order, and frees all of them again. */
import { lookup } from 'node:dns/promises'
import { isIP, isIPv6 } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@skein/core'
import { createRelayStack } from '@skein/node/swarm'
import type { RelayStack } from '@skein/node/swarm'
import { keepMeeting } from './bootstrap.ts'
import { createCardDrop, MAX_CARD_REQUEST_BYTES } from './card-drop.ts'
import type { CardDrop } from './card-drop.ts'
import { hostPort, publicHost } from './config.ts'
import type { RelayConfig } from './config.ts'
import { startHttp } from './http.ts'
import type { RelayDescription } from './http.ts'
import { loadOrCreateSeed } from './identity.ts'
import { createMetrics } from './metrics.ts'
import { probePort } from './port-in-use.ts'
import { startReflector } from './reflector.ts'
import type { Reflector } from './reflector.ts'
import { openRelayStore } from './relay-store.ts'
import type { RelayStore } from './relay-store.ts'
import { startStun } from './stun.ts'
import type { StunServer } from './stun.ts'
import { findWebClient } from './web-client.ts'

/** Where the web client is: beside the bundle in a package, with the other apps in a checkout. */
const WEB_CLIENT = ['../web', '../../web/out'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)))

/** Ms between removals of expired cards; reading ignores them anyway. */
const SWEEP_MS = 60_000

export interface Relay extends AsyncDisposable {
  readonly peerId: string
  /** `undefined` when HTTP is off. */
  readonly httpPort: number | undefined
  addresses(): readonly string[]
}

interface Parts {
  stack?: RelayStack
  cards?: CardDrop
  stun?: StunServer
  reflector?: Reflector | null
  stopping: boolean
}

/** @throws SkeinError PORT_IN_USE, STORE_LOCKED, STORE_CORRUPT, DATA_DIR_READ_ONLY; nothing is left running then */
export async function startRelay(config: RelayConfig, logger: Logger): Promise<Relay> {
  const parts: Parts = { stopping: false }
  await using starting = new AsyncDisposableStack()
  const store = starting.use(openRelayStore(config.dataDir))
  // HTTP first, so that /healthz and /readyz answer while the rest comes up.
  const http = config.http === 'off' ? undefined : starting.use(await openHttp(config, config.http, parts))
  const address = await publicAddress(config)
  parts.stun = starting.use(await startStun({ ...config, publicAddress: address }))
  parts.reflector = config.reflector === 'off' ? null : starting.use(await startReflector(config.host, config.reflector))
  parts.stack = await openStack(config, { store, address, logger: logger.child('swarm') })
  const stack = parts.stack
  starting.defer(() => stack.stop())
  parts.cards = await openCards(stack, store, starting)
  const meeting = new AbortController()
  keepMeeting(stack, { urls: config.bootstrap, logger, signal: meeting.signal })
  starting.defer(() => {
    parts.stopping = true
    meeting.abort()
  })
  const running = starting.move()
  return {
    peerId: stack.peerId,
    httpPort: http?.port,
    addresses: () => stack.addresses(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

interface StackNeeds {
  readonly store: RelayStore
  readonly address: string | undefined
  readonly logger: Logger
}

async function openStack(config: RelayConfig, { store, address, logger }: StackNeeds): Promise<RelayStack> {
  await probePort('tcp', config.host, config.tcp)
  await probePort('tcp', config.host, config.ws)
  await probePort('udp', config.host, config.webrtc)
  return createRelayStack({
    privateKeySeed: loadOrCreateSeed(config.dataDir),
    listen: { host: config.host, tcp: config.tcp, ws: config.ws, webrtc: config.webrtc },
    announceHost: config.announceHost,
    announceAddress: config.announceHost === undefined ? undefined : address,
    durable: store.entries,
    logger,
  })
}

async function openCards(stack: RelayStack, store: RelayStore, owner: AsyncDisposableStack): Promise<CardDrop> {
  const cards = createCardDrop(store.database, { now: Date.now })
  const sweeping = setInterval(() => cards.sweep(), SWEEP_MS)
  owner.defer(() => clearInterval(sweeping))
  await stack.serve('/skein/card/1', (peer, frame) => cards.answer(peer, frame), { maxRequestBytes: MAX_CARD_REQUEST_BYTES })
  return cards
}

function openHttp(config: RelayConfig, port: number, parts: Parts) {
  const metrics = createMetrics({
    connections: () => parts.stack?.counts().connections ?? 0,
    reservations: () => parts.stack?.counts().reservations ?? 0,
    circuits: () => parts.stack?.counts().circuits ?? 0,
    dhtPeers: () => parts.stack?.counts().dhtPeers ?? 0,
    gossipMessages: () => parts.stack?.counts().gossipMessages ?? 0,
    cards: () => parts.cards?.count() ?? 0,
    stunRequests: () => parts.stun?.requests() ?? 0,
  })
  const sources = {
    waiting: () => waitingFor(parts),
    describe: (localHost: string) => describe(parts, publicHost(config) ?? localHost),
    metrics: () => metrics.metrics(),
  }
  return startHttp(sources, { host: config.host, port, web: findWebClient(config.web, WEB_CLIENT) })
}

function waitingFor(parts: Parts): string[] {
  if (parts.stopping) return ['stopping']
  const names = ['stun', 'reflector', 'stack', 'cards'] as const
  return names.filter((name) => parts[name] === undefined)
}

function describe({ stack, stun, reflector }: Parts, host: string): RelayDescription | undefined {
  if (stack === undefined) return undefined
  return {
    version: 1,
    peer_id: stack.peerId,
    addresses: stack.addresses(),
    stun: (stun?.ports ?? []).map((each) => `stun:${hostPort(host, each)}`),
    reflector: reflector == null ? null : hostPort(host, reflector.port),
  }
}

/** IP address under which this relay is reached, if one is known; for protocols that carry no names. */
async function publicAddress(config: RelayConfig): Promise<string | undefined> {
  const host = publicHost(config)
  if (host === undefined || isIP(host) !== 0) return host
  return lookup(host, { family: isIPv6(config.host) ? 6 : 4 }).then(
    ({ address }) => address,
    () => undefined,
  )
}
