/** Where an announcement came from. */
export interface LanSource {
  /** IPv4 or IPv6 address as the system writes it, without a zone. */
  readonly address: string
  /** Interface of a link-local IPv6 address. */
  readonly zone: string | null
}

export interface DiscoveryHandlers {
  /** What to announce from this address of ours, at most MAX_LAN_BYTES each; asked anew each time. */
  announcements(address: string): readonly Uint8Array[]
  /** What programs of others are told by libp2p's own service, as a multiaddr that ends in our peer id; null but with visibility `everyone`. */
  named?(address: string): string | null
  /** Somebody's announcement, our own included; not proven by anything. Must not throw. */
  heard(bytes: Uint8Array, from: LanSource): void
}

/** Announcements of up to MAX_LAN_BYTES among the devices of a local network, on every interface there is. */
export interface Discovery {
  /** Announces at once, and again every few seconds, until `stop`. Without a network it waits for one. Idempotent. */
  start(handlers: DiscoveryHandlers): Promise<void>
  /** Announces now. */
  hurry(): void
  /** Nothing is announced or heard after this. Idempotent. */
  stop(): Promise<void>
}
