import type { DeviceId } from '../ids.ts'

/** Protocols of ours, as negotiated on a stream. */
export type ProtocolId = `/skein/${string}/${number}`

/** An ordered, reliable, authenticated two-way sequence of frames with the device named by `peer`. */
export interface Channel {
  /** The device at the other end, proven by the connection's own handshake. */
  readonly peer: DeviceId
  /**
   * Queues one frame; resolves when there is room for the next (back-pressure), not when it has arrived.
   * Resolves `false` once the channel is closed: absence of the peer is an outcome.
   * @param frame 1 to MAX_FRAME_BYTES bytes
   */
  send(frame: Uint8Array): Promise<boolean>
  /** Frames as they arrive; ends when either side closes. At most one consumer. A slow consumer slows the sender. */
  frames(): AsyncIterable<Uint8Array>
  /** Ends both directions; frames already sent are still delivered. Idempotent. */
  close(): void
}

export type OpenOutcome =
  | { readonly kind: 'open'; readonly channel: Channel }
  | { readonly kind: 'absent'; readonly reason: 'no-route' | 'refused' | 'timed-out' | 'stopped' }

/** How a device is reached at present. */
export interface PeerPath {
  readonly device: DeviceId
  readonly path: 'lan' | 'direct' | 'mapped' | 'punched' | 'relayed'
  /** e.g. `tcp`, `ws`, `webrtc`, `webrtc-direct`, `circuit`. */
  readonly transport: string
  readonly rttMs: number | null
  /** When it came into use, milliseconds since 1970. */
  readonly since: number
}

/** State of one relay as the client sees it. */
export interface RelayStatus {
  readonly url: string
  readonly device: DeviceId | null
  readonly connected: boolean
  readonly reserved: boolean
  /** Whether devices can be dialled over it; sooner than we can be dialled, which takes a place. */
  readonly passable: boolean
  /** `false` of a client that serves its own page: others are not reached over it. */
  readonly givesPlaces: boolean
}

export interface SwarmEvents {
  /** First connection to a device. */
  onConnected(device: DeviceId): void
  /** Last connection to a device went. */
  onDisconnected(device: DeviceId): void
  /** Authenticated traffic from a device, connection pings included. */
  onAlive(device: DeviceId): void
  /** A direct connection has carried data where there was only a relayed one: channels opened from now on use it. */
  onBetterPath(device: DeviceId): void
  /** A relay was joined (first time or again) or lost. */
  onRelay(relay: RelayStatus): void
}

export type TopicVerdict = 'accept' | 'ignore' | 'reject'

/** The network: authenticated channels to devices, gossip, and a directory of records. Never throws because a peer is away. */
export interface Swarm {
  readonly self: DeviceId
  /** Opens a channel, dialling if there is no connection. `relays` are relay URLs where the device may be found. */
  open(
    device: DeviceId,
    protocol: ProtocolId,
    options?: { readonly relays?: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<OpenOutcome>
  /**
   * Opens a channel to a relay, by its URL. With `disguise`, a name of the caller's choice, it goes over a connection of its
   * own with a throw-away key: the relay cannot tell by keys who we are, nor that two disguises are one device.
   */
  openRelay(
    url: string,
    protocol: ProtocolId,
    options?: { readonly disguise?: string; readonly signal?: AbortSignal },
  ): Promise<OpenOutcome>
  /** Serves a protocol; one handler each. The returned function stops serving. */
  handle(protocol: ProtocolId, handler: (channel: Channel) => Promise<void>): () => void
  /** Registers for events; the returned function ends it. */
  listen(events: Partial<SwarmEvents>): () => void
  /** Sends to all subscribers of a gossip topic, best effort. */
  publish(topic: string, bytes: Uint8Array): Promise<void>
  /** `receive` judges each message; only accepted ones are forwarded to others. */
  subscribe(topic: string, receive: (bytes: Uint8Array) => Promise<TopicVerdict>): () => void
  isConnected(device: DeviceId): boolean
  /** Keeps a connection to the device alive, or no longer. */
  keep(device: DeviceId, wanted: boolean): void
  /** Records one offence of a peer; repeated offences drop it and refuse it for a while. */
  penalise(device: DeviceId, code: string): void
  /** Something that is awaited of a device does not come: its connections are asked whether they live, and end unless they answer soon. */
  doubt(device: DeviceId): void
  paths(): readonly PeerPath[]
  relays(): readonly RelayStatus[]
  /** Multiaddrs where this device can be dialled at present. */
  addresses(): readonly string[]
}
