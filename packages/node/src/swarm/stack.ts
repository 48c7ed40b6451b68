/** libp2p for a client on Node.js. The browser's stack differs in transports and listening only. */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import type { ConnectionGater, Libp2p } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import { type KadDHT, kadDHT } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { dhtOptions, GOSSIP_OPTIONS, type RecordJudge } from './stack-parts.ts'

/** ICE gathers and checks in this time; the library's 6 s cuts off slow paths. Milliseconds. */
const DIAL_TIMEOUT_MS = 15_000
/** Addresses and peers are kept by us; the library must not forget them within an hour. */
const ADDRESS_AGE_MS = 24 * 3_600_000

export interface StackOptions {
  /** Ed25519 seed of the device, 32 bytes. */
  readonly privateKeySeed: Uint8Array
  readonly listen: { readonly host: string; readonly port: number }
  /** STUN servers of the user's own relays, `stun:host:port`. */
  readonly stunServers: () => readonly string[]
  readonly gater: ConnectionGater
  readonly judge: RecordJudge
}

export interface Transports {
  readonly transportManager: TransportManager
}

export type Stack = Libp2p<{ gossip: GossipSub; dht: KadDHT; ping: Ping; transports: Transports }>

/** No server is asked but the user's own: the library's default is a list of public ones. Asked anew for each connection. */
export function rtcConfiguration(stunServers: () => readonly string[]) {
  return async () => ({ iceServers: stunServers().map((urls) => ({ urls })) })
}

/** Not started. @throws Error of libp2p */
export async function createStack(options: StackOptions): Promise<Stack> {
  const rtc = rtcConfiguration(options.stunServers)
  const { host, port } = options.listen
  return createLibp2p({
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', options.privateKeySeed),
    addresses: { listen: [`/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/${port}`, '/webrtc'] },
    transports: [tcp(), webSockets(), circuitRelayTransport(), webRTC({ rtcConfiguration: rtc }), webRTCDirect({ rtcConfiguration: rtc })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: options.gater,
    connectionManager: { dialTimeout: DIAL_TIMEOUT_MS, addressDialTimeout: DIAL_TIMEOUT_MS, reconnectRetries: 0, maxConnections: 1_000, inboundConnectionThreshold: 100 },
    // Aborts busy connections when a ping waits behind their traffic; liveness.ts does it better.
    connectionMonitor: { enabled: false },
    peerStore: { maxAddressAge: ADDRESS_AGE_MS, maxPeerAge: ADDRESS_AGE_MS },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping({ maxInboundStreams: 8, runOnLimitedConnection: true }),
      gossip: gossipsub(GOSSIP_OPTIONS),
      dht: kadDHT(dhtOptions(options.judge, { clientMode: true })),
      // Making a reservation again needs a component that the library does not hand out.
      transports: ({ transportManager }: Transports): Transports => ({ transportManager }),
    },
  }) as unknown as Promise<Stack>
}
