/** libp2p for a client, all but what differs between Node.js and a browser: transports and listening. */
import type { Socket } from 'node:net'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { GossipSubComponents } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import type { ComponentLogger, ConnectionGater, Libp2p, PeerId, Upgrader } from '@libp2p/interface'
import type { AddressManager, TransportManager } from '@libp2p/interface-internal'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { webRTCDirect } from '@libp2p/webrtc'
import type { DeviceId } from '@skein/core'
import { createLibp2p, type Libp2pInit } from 'libp2p'
import {
  ADDRESS_AGE_MS,
  DIAL_TIMEOUT_MS,
  INBOUND_PER_SECOND,
  MAX_CONNECTIONS,
  MAX_PENDING_INBOUND,
  RESERVATIONS_AT_ONCE,
} from './constants.ts'
import { guardedWebRTC } from './guarded-webrtc.ts'
import { LateDht } from './late-dht.ts'
import { LateGossip } from './late-gossip.ts'
import { presumeEncryption } from './presumed.ts'
import { type RecordJudge, securedAndMuxed } from './stack-parts.ts'

/** Address that stands for all, IPv6 included. */
export const EVERYWHERE = '0.0.0.0'

export interface ListenOptions {
  /** TCP port, 0 for any free one. */
  readonly port: number
  /** IP address; 0.0.0.0, and nothing, stand for all interfaces of IPv4 and IPv6. */
  readonly host?: string | undefined
  /** TCP port for WebSockets, 0 for any free one; without it none. */
  readonly ws?: number | undefined
}

export interface StackOptions {
  /** Ed25519 seed of the device, 32 bytes. */
  readonly privateKeySeed: Uint8Array
  /** A browser has nothing to listen on, and ignores it. */
  readonly listen: ListenOptions
  /** STUN servers of the user's own relays, `stun:host:port`. */
  readonly stunServers: () => readonly string[]
  readonly gater: ConnectionGater
  readonly judge: RecordJudge
  /** Whether a device may make this machine send packets to where it says; everybody, unless told otherwise. */
  readonly mayPunch?: ((device: DeviceId) => boolean) | undefined
  /** A device has offered WebRTC, and nothing has come of it. */
  readonly onOfferFailed?: ((device: DeviceId) => void) | undefined
  /** Somebody wants to open a raw connection; without it that is refused. */
  readonly onRaw?: ((socket: Socket) => void) | undefined
}

export interface Transports {
  readonly transportManager: TransportManager
  readonly addressManager: AddressManager
  readonly upgrader: Upgrader
  readonly logger: ComponentLogger
}

export type Stack = Libp2p<{ gossip: LateGossip; dht: LateDht; transports: Transports }>

/** No server is asked but the user's own: the library's default is a list of public ones. Asked anew for each connection. */
export function rtcConfiguration(stunServers: () => readonly string[]): () => Promise<RTCConfiguration> {
  return async () => ({ iceServers: stunServers().map((urls) => ({ urls })) })
}

/** Pings wait behind traffic and overlap: the library's limits, two in and one out, would fail those of a busy connection. */
const MAX_PING_STREAMS = 8

const CONNECTIONS = {
  dialTimeout: DIAL_TIMEOUT_MS,
  addressDialTimeout: DIAL_TIMEOUT_MS,
  // Reconnecting is ours (relay-supervisor.ts, delivery in core); the library gives up after five tries.
  reconnectRetries: 0,
  maxConnections: MAX_CONNECTIONS,
  inboundConnectionThreshold: INBOUND_PER_SECOND,
  maxIncomingPendingConnections: MAX_PENDING_INBOUND,
}

/** Circuits and WebRTC: what Node.js and browsers share. */
export function sharedTransports({ stunServers, mayPunch, onOfferFailed }: StackOptions): NonNullable<Libp2pInit['transports']> {
  const rtc = rtcConfiguration(stunServers)
  // One that never answers is not to hold up the others (reservations.ts).
  const circuits = circuitRelayTransport({ reservationConcurrency: RESERVATIONS_AT_ONCE })
  const rules = { mayOffer: mayPunch ?? (() => true), onFailed: onOfferFailed ?? (() => undefined) }
  return [circuits, guardedWebRTC({ rtcConfiguration: rtc }, rules), webRTCDirect({ rtcConfiguration: rtc })]
}

/**
 * Everything it listens on, and not only what AutoNAT has verified: nobody runs AutoNAT for us, and who tries an address
 * in vain loses nothing. Loopback is for nobody else, unless there is nothing else; an address of one link means nothing
 * elsewhere.
 */
function announced(verified: readonly Multiaddr[], { transports, self }: Late): Multiaddr[] {
  const whole = (address: Multiaddr): string => {
    const text = address.toString()
    return text.endsWith(`/p2p/${self}`) ? text : `${text}/p2p/${self}`
  }
  const all = [...new Set([...verified, ...(transports?.getAddrs() ?? [])].map(whole))]
  const isOverRelay = (text: string): boolean => text.includes('/p2p-circuit')
  const others = all.filter((text) => isOverRelay(text) || !/^\/ip4\/127\.|^\/ip6\/(::1\/|fe80:)/.test(text))
  return (others.every(isOverRelay) ? all : others).map((text) => multiaddr(text))
}

/** What only components know, once they are made. */
interface Late {
  transports?: TransportManager
  self?: string
}

/** What differs between Node.js and a browser. */
export interface PlatformParts {
  readonly listen: string[]
  readonly transports: NonNullable<Libp2pInit['transports']>
  /** Before what no first message needs is loaded, gossip and DHT, ms. */
  readonly restAfterMs?: number
}

/** Not started. No DCUtR: in JavaScript it cannot punch and doubles connections (notes/nat.md §3). @throws Error of libp2p */
export async function createClientStack(options: StackOptions, { listen, transports, restAfterMs = 0 }: PlatformParts): Promise<Stack> {
  const late: Late = {}
  return createLibp2p({
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', options.privateKeySeed),
    transports,
    addresses: { listen, announceFilter: (verified) => announced(verified, late) },
    ...securedAndMuxed(),
    connectionGater: options.gater,
    connectionManager: CONNECTIONS,
    // Aborts busy connections when a ping waits behind their traffic (notes/performance.md, defect 2); liveness.ts does not.
    connectionMonitor: { enabled: false },
    peerStore: { maxAddressAge: ADDRESS_AGE_MS, maxPeerAge: ADDRESS_AGE_MS },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping({ maxInboundStreams: MAX_PING_STREAMS, maxOutboundStreams: MAX_PING_STREAMS, runOnLimitedConnection: true }),
      gossip: (components: GossipSubComponents) => new LateGossip(components, { afterMs: restAfterMs, load: () => import('./gossip.ts') }),
      dht: (components: KadDHTComponents) => new LateDht(components, { judge: options.judge, quietAfterMs: restAfterMs }),
      // Reservations, circuit dials and mapped ports need components that the library does not hand out.
      transports: (components: Transports & { readonly peerId: PeerId }): Transports => {
        const { transportManager, addressManager, upgrader, logger, peerId } = components
        Object.assign(late, { transports: transportManager, self: peerId.toString() })
        presumeEncryption(upgrader)
        return { transportManager, addressManager, upgrader, logger }
      },
    },
  })
}
