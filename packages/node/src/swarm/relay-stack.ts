/**
 * The relay's libp2p: circuit relay without cut-off, DHT server, gossip hub. The relay application sees only
 * `RelayStack`; no libp2p type leaves this file.
 */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import type { GossipSub, GossipSubComponents } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import { kadDHT } from '@libp2p/kad-dht'
import type { KadDHT, KadDHTComponents } from '@libp2p/kad-dht'
import { keychain } from '@libp2p/keychain'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { type DeviceId, encodeNotice, isNewerRecord, presenceTopic, verifyRecord } from '@skein/core'
import type { Channel, Logger, ProtocolId } from '@skein/core'
import { createLibp2p } from 'libp2p'
import { SPLICE_PROTOCOL } from '../bulk/constants.ts'
import { SpliceService } from '../bulk/splice-service.ts'
import { nativePrimitives } from '../platform/primitives.ts'
import { type RelayDoor, relayDoor } from './circuit/gate.ts'
import { type HopComponents, HopService } from './circuit/hop-service.ts'
import { type Caller, callerOf } from './circuit/caller.ts'
import { ChatBudget } from './circuit/chat-budget.ts'
import { type CircuitEnds, OPEN_RULES, type RelayRules, type Service } from './circuit/index.ts'
import { Places } from './circuit/places.ts'
import { Turns } from './circuit/turns.ts'
import { boundRequests, DhtGuard } from './dht-guard.ts'
import { guardedQuic } from './guarded-quic.ts'
import { guardedTcp } from './guarded-tcp.ts'
import { guardedWebRTCDirect } from './guarded-udp.ts'
import { guardedWebSockets, type TakeUpgrade } from './guarded-websockets.ts'
import { announceAs, fewEnough, hostPrefix, isDialable, listenAddresses } from './relay-addresses.ts'
import type { RelayPorts } from './relay-addresses.ts'
import { CertificateDatastore } from './relay-datastore.ts'
import type { DurableEntries } from './relay-datastore.ts'
import type { RelayCounts } from './relay-counts.ts'
import { giveNotice, placesFirst } from './give-notice.ts'
import { loadQuic } from './late-quic.ts'
import { watchAgreement, watchedGossip, watchedIdentify, watchedService } from './library-frames.ts'
import { muteLogger } from './mute-logger.ts'
import { hubOptions, openHub } from './relay-hub.ts'
import { type AnswerRequest, type Served, serveChannels, serveRequests } from './relay-requests.ts'
import { SilentPeers } from './silent-peers.ts'
import { DHT_PROTOCOL, dhtOptions, securedAndMuxed } from './stack-parts.ts'
import type { RecordJudge } from './stack-parts.ts'

export { nativePrimitives, verifyOwnChoice } from '../platform/primitives.ts'
export type { RelayCounts } from './relay-counts.ts'
export type { RelayPorts } from './relay-addresses.ts'
export type { DurableEntries } from './relay-datastore.ts'

/** 7 days in ms: a member that stays connected need hardly ever ask again. Must stay below 2^31 ms (24.8 days). */
const RESERVATION_TTL_MS = 7 * 24 * 3_600_000
/** Streams of one request-reply protocol on one connection. */
const MAX_REQUEST_STREAMS = 16
/** Channels of one protocol on one connection. */
const MAX_CHANNELS = 16
/** For a connection to close in order, ms. */
const CLOSE_TIMEOUT_MS = 500
/** From the end of a peer's last connection until nothing is known of it, ms. */
const FORGET_AFTER_MS = 15_000
/** Time to dial one other relay, ms. */
const MEET_TIMEOUT_MS = 10_000
/** Above whatever the rules and the door allow: the library would close the connections of members to take in strangers. */
const CONNECTIONS = { maxConnections: 1_000_000, inboundConnectionThreshold: 1_000_000, maxIncomingPendingConnections: 1_000_000 }

/** A relay stores and forwards only what an account has signed. */
const SIGNED: RecordJudge = {
  verify: (key, record) => verifyRecord(nativePrimitives, key, record),
  isNewer: (a, b) => isNewerRecord(nativePrimitives, a, b),
}

export interface RelayStackOptions {
  /** Ed25519 seed, 32 bytes; the peer id follows from it. */
  readonly privateKeySeed: Uint8Array
  /** Ports, 0 for any free one; `host` is an IP address. */
  readonly listen: RelayPorts
  /** Address or name under which others reach this relay; without it the addresses of its interfaces are announced. */
  readonly announceHost?: string | undefined
  /** IP address of `announceHost` where that is a name: WebRTC-direct puts it into SDP, which takes no names. */
  readonly announceAddress?: string | undefined
  /** Host and TCP port where WebSockets come in behind TLS: at this process, or at a web server on this machine that passes them on. */
  readonly front?: { readonly host: string; readonly port: number } | undefined
  /** How long a place is held without a refresh, ms; 7 days unless told otherwise. */
  readonly reservationTtlMs?: number | undefined
  /** Which records may stand in its DHT; those that their account signed unless told otherwise. */
  readonly judge?: RecordJudge | undefined
  /** What is allowed, and where it is counted; everything unless told otherwise. */
  readonly rules?: RelayRules | undefined
  readonly durable: DurableEntries
  readonly logger: Logger
}

export interface RelayStack {
  readonly peerId: string
  /** Announced multiaddrs, each with `/p2p/<peer id>`. */
  addresses(): readonly string[]
  counts(): RelayCounts
  /** Serves a protocol of one uvarint-prefixed request frame and one reply; larger requests are cut off. */
  serve(
    protocol: ProtocolId,
    answer: AnswerRequest,
    options: { readonly service: Service; readonly maxRequestBytes: number },
  ): Promise<void>
  /** Serves a protocol with one channel for any number of requests. */
  serveChannel(protocol: ProtocolId, handler: (channel: Channel, from: Caller) => Promise<void>, service: Service): Promise<void>
  /** Whether a device may be reached through this relay: it is a member. */
  hasPlace(peerId: string): boolean
  /** Devices that may be reached through this relay. */
  holders(): string[]
  /** Connects to another relay and enters it in the DHT's routing table; `false` if it cannot be reached. */
  meet(addresses: readonly string[]): Promise<boolean>
  isConnected(peerId: string): boolean
  /** Tells everybody who is connected that the relay goes away within this time, ms. Resolves when they have been told. */
  giveNotice(leavingWithinMs: number): Promise<void>
  /** Takes a WebSocket that came in at another port of this process; ends it where none are taken. */
  takeUpgrade: TakeUpgrade
  /** Ends circuits, all or those of one peer. */
  endCircuits(peerId?: string): void
  /** Ends the circuits and raw connections that would not be begun any more; limited ones are judged as such. */
  review(mayGoOn: (peer: string, isLimited: boolean) => boolean): void
  /** Whoever waits for a rate is told anew for how long. */
  wake(): void
  /** Ends the connections of one peer, frees its place and ends what goes over this relay to it and from it; or the connections of everybody. */
  disconnect(peerId?: string): Promise<void>
  /** Frees every port. Idempotent; may hang in WebRTC (notes/libp2p.md §4 no. 9), so callers set a deadline. */
  stop(): Promise<void>
}

type RelayNode = Libp2p<{ hop: HopService; dht: KadDHT; gossip: GossipSub }>
interface Late {
  take?: TakeUpgrade
  transports?: TransportManager
  self?: PeerId
}

/** @throws Error of libp2p when no port could be opened */
export async function createRelayStack(options: RelayStackOptions): Promise<RelayStack> {
  const parts = partsOf(options)
  const { splices } = parts
  const node = await createNode(options, parts)
  await node.handle(SPLICE_PROTOCOL, (stream, connection) => splices.serve(stream, connection), { maxInboundStreams: MAX_REQUEST_STREAMS })
  const silent = new SilentPeers({
    connections: () => node.getConnections(),
    heardAt: parts.door.heardAt,
    onRoundTrip: (ms) => parts.rules.onRoundTrip(ms),
    onSilent: () => parts.rules.onRefused('connection', 'silent'),
    now: () => performance.now(),
  })
  silent.start()
  const dht = guardDht(node, parts)
  let gossipMessages = 0
  node.services.gossip.addEventListener('gossipsub:message', () => void gossipMessages++)
  openHub(node.services.gossip, {
    relay: node.peerId.toString() as DeviceId,
    callerOf: (peer) => node.getConnections(peer).map(callerOf)[0],
    cutOff: (peer) => disconnect(node, peer.toString()),
    rules: parts.rules,
    logger: options.logger,
  })
  node.addEventListener('connection:open', ({ detail }) => watchAgreement(detail, (why) => parts.rules.onRefused('connection', why)))
  node.addEventListener('peer:disconnect', ({ detail }) => {
    node.services.hop.places.release(detail.toString())
    // Identify may still be writing what it has heard.
    setTimeout(() => void forget(node, dht, detail), FORGET_AFTER_MS).unref()
  })
  node.addEventListener('peer:identify', ({ detail }) => {
    if (detail.protocols.includes(DHT_PROTOCOL)) void addToRoutingTable(dht, detail.peerId, options.logger)
  })
  const served = (service: Service): Served => ({
    logger: options.logger,
    onOffence: (what) => parts.rules.onRefused(service, what),
  })
  return {
    peerId: node.peerId.toString(),
    addresses: () => node.getMultiaddrs().map(String),
    counts: () => ({
      ...countNode(node, splices),
      oldestHoldMs: parts.turns.oldestHoldMs,
      dhtPeers: dht.peers,
      dhtRecords: dht.records,
      gossipMessages,
    }),
    serve: (protocol, answer, { service, maxRequestBytes }) =>
      node.handle(protocol, serveRequests(answer, maxRequestBytes, served(service)), { maxInboundStreams: MAX_REQUEST_STREAMS }),
    serveChannel: (protocol, handler, service) =>
      node.handle(protocol, serveChannels(handler, served(service)), { maxInboundStreams: MAX_CHANNELS, runOnLimitedConnection: true }),
    hasPlace: (peerId) => node.services.hop.places.get(peerId) !== undefined,
    holders: () => parts.places.peers(),
    meet: (addresses) => meet({ node, dht, logger: options.logger }, addresses),
    isConnected: (peerId) => node.getConnections().some((each) => each.remotePeer.toString() === peerId),
    takeUpgrade: (request, socket, head) =>
      parts.late.take === undefined ? void socket.destroy() : parts.late.take(request, socket, head),
    giveNotice: (leavingWithinMs) => giveNotice(placesFirst(node.getConnections(), parts.places), encodeNotice({ leavingWithinMs })),
    endCircuits: (peerId) => endCircuits([...node.services.hop.circuits, ...splices.splices], peerId),
    review: (mayGoOn) => {
      for (const each of node.services.hop.circuits) if (!mayGoOn(each.from, each.isLimited)) each.end('relay')
      for (const each of splices.splices) if (![each.from, each.to].every((peer) => mayGoOn(peer, false))) each.end('relay')
    },
    wake: () => parts.turns.wake(),
    disconnect: (peerId) => {
      if (peerId !== undefined) release(node, splices, peerId)
      return disconnect(node, peerId)
    },
    stop: async () => {
      splices.stop()
      silent.stop()
      dht.stop()
      await node.stop()
    },
  }
}

interface RelayParts {
  readonly datastore: CertificateDatastore
  readonly rules: RelayRules
  readonly places: Places
  readonly turns: Turns
  readonly chat: ChatBudget
  readonly splices: SpliceService
  readonly door: RelayDoor
  readonly late: Late
}

/** What circuits and raw connections share. */
function partsOf({ rules = OPEN_RULES, reservationTtlMs = RESERVATION_TTL_MS, durable, logger }: RelayStackOptions): RelayParts {
  const places = new Places({ now: () => performance.now(), ttlMs: reservationTtlMs, groupsOf: rules.groupsOf })
  const turns = new Turns()
  return {
    rules,
    places,
    turns,
    datastore: new CertificateDatastore(durable),
    chat: new ChatBudget(() => performance.now()),
    late: {},
    door: relayDoor(rules),
    splices: new SpliceService({ rules, places, turns, logger, now: () => performance.now() }),
  }
}

async function createNode(options: RelayStackOptions, parts: RelayParts): Promise<RelayNode> {
  const { late } = parts
  const { gater, mayEnter } = parts.door
  const quic = await quicOf(options)
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.privateKeySeed)
  const topic = presenceTopic(peerIdFromPrivateKey(privateKey).toString() as DeviceId)
  return createLibp2p({
    privateKey,
    datastore: parts.datastore,
    addresses: {
      listen: listenAddresses({ ...options.listen, ...(quic === undefined && { quic: 'off' }) }),
      announceFilter: () => announced(late, options),
    },
    transports: [
      guardedTcp({
        mayEnter,
        onRaw: (socket) => void parts.splices.onRaw(socket),
        onSilent: (why) => parts.rules.onRefused('handshake', why),
      }),
      guardedWebSockets({
        mayEnter,
        behindProxy: options.front !== undefined,
        groupsOf: parts.rules.groupsOf,
        onRefused: (why, which) => {
          if (which !== undefined) parts.door.onBroken(which)
          parts.rules.onRefused('websocket', why)
        },
        onReady: (take) => Object.assign(late, { take }),
      }),
      guardedWebRTCDirect(parts.rules),
      ...(quic === undefined ? [] : [guardedQuic(quic, parts.rules)]),
    ],
    ...securedAndMuxed({ enableKeepAlive: false }),
    connectionGater: gater,
    connectionManager: CONNECTIONS,
    connectionMonitor: { enabled: false },
    ...muteLogger(),
    services: {
      ...relayServices(options, { ...parts, topic }),
      // Captures what only components know: the filter above needs addresses no AutoNAT has confirmed (browser.md T4).
      late: ({ transportManager: transports, peerId: self }: { transportManager: TransportManager; peerId: PeerId }) =>
        Object.assign(late, { transports, self }),
    },
  })
}

async function quicOf({ listen, logger }: RelayStackOptions): Promise<Awaited<ReturnType<typeof loadQuic>>> {
  if ((listen.quic ?? 'off') === 'off') return undefined
  const quic = await loadQuic()
  if (quic === undefined) logger.warn('quic-missing', { meaning: 'there is no QUIC for this platform; nothing listens at its port' })
  return quic
}

function relayServices({ judge = SIGNED, logger }: RelayStackOptions, { topic, ...parts }: RelayParts & { readonly topic: string }) {
  const refused = (service: Service) => (why: string) => parts.rules.onRefused(service, why)
  return {
    identify: watchedIdentify(identify(), refused('identify')),
    identifyPush: watchedService(identifyPush(), refused('identify')),
    ping: watchedService(ping(), refused('ping')),
    keychain: keychain(),
    dht: (components: KadDHTComponents) => boundRequests(kadDHT(dhtOptions(judge, { clientMode: false }))(components), refused('dht')),
    gossip: (components: GossipSubComponents) => watchedGossip(gossipsub(hubOptions(topic))(components), refused('gossip')),
    hop: (components: HopComponents) => new HopService(components, { ...parts, logger }),
  }
}

function announced(late: Late, options: RelayStackOptions) {
  const own = late.transports?.getAddrs().map(String).filter(isDialable) ?? []
  const wanted = new Set([...own.map((each) => announceAs(each, options)), ...frontAddress(options)])
  return fewEnough([...wanted]).map((each) => multiaddr(`${each}/p2p/${String(late.self)}`))
}

function frontAddress({ front }: RelayStackOptions): string[] {
  return front === undefined ? [] : [`${hostPrefix(front.host)}/tcp/${front.port}/tls/ws`]
}

function countNode(
  node: RelayNode,
  { splices }: SpliceService,
): Omit<RelayCounts, 'oldestHoldMs' | 'dhtPeers' | 'dhtRecords' | 'gossipMessages'> {
  const { places, circuits } = node.services.hop
  places.sweep()
  return {
    connections: node.getConnections().length,
    peers: node.getPeers().length,
    reservations: places.size,
    places: places.changes,
    circuits: circuits.size + splices.size,
  }
}

function endCircuits(circuits: readonly (CircuitEnds & { end(cause: 'relay'): void })[], peerId: string | undefined): void {
  for (const each of circuits) if (peerId === undefined || each.from === peerId || each.to === peerId) each.end('relay')
}

function release(node: RelayNode, splices: SpliceService, peerId: string): void {
  node.services.hop.places.release(peerId)
  splices.drop(peerId)
  endCircuits([...node.services.hop.circuits, ...splices.splices], peerId)
}

async function disconnect(node: RelayNode, peerId: string | undefined): Promise<void> {
  const theirs = node.getConnections().filter(({ remotePeer }) => peerId === undefined || remotePeer.toString() === peerId)
  await Promise.all(theirs.map(closeSoon))
}

async function closeSoon(connection: Connection): Promise<void> {
  try {
    await connection.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
  } catch {
    connection.abort(new Error('the relay closes'))
  }
}

function guardDht(node: RelayNode, { rules, datastore }: RelayParts): DhtGuard {
  const surroundings = {
    getConnections: (peer: PeerId) => node.getConnections(peer),
    forget: (peer: PeerId) => node.peerStore.delete(peer).catch(() => undefined),
  }
  return new DhtGuard(node.services.dht, surroundings, { rules, datastore, now: () => performance.now() })
}

/** The library would keep whoever has been here for hours; only other servers of the DHT are found again, for a while. */
async function forget(node: RelayNode, dht: DhtGuard, peer: PeerId): Promise<void> {
  const known = await node.peerStore.get(peer).catch(() => undefined)
  if (known === undefined || node.getConnections(peer).length > 0) return
  if (known.protocols.includes(DHT_PROTOCOL)) dht.onGone(peer)
  else await node.peerStore.delete(peer).catch(() => undefined)
}

/** The library tries once, and drops the peer for good if its addresses or its pong come late. Harmless when it is in. */
async function addToRoutingTable(dht: DhtGuard, peer: PeerId, logger: Logger): Promise<void> {
  await dht.add(peer).catch((error: unknown) => logger.debug('dht-add-failed', { reason: String(error) }))
}

interface Meeting {
  readonly node: RelayNode
  readonly dht: DhtGuard
  readonly logger: Logger
}

async function meet({ node, dht, logger }: Meeting, addresses: readonly string[]): Promise<boolean> {
  try {
    const { remotePeer } = await node.dial(
      addresses.map((each) => multiaddr(each)),
      { signal: AbortSignal.timeout(MEET_TIMEOUT_MS) },
    )
    await addToRoutingTable(dht, remotePeer, logger)
    return true
  } catch (error) {
    logger.debug('meet-failed', { reason: String(error) })
    return false
  }
}
