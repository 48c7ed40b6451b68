/** What a relay counts of itself. */

export interface RelayCounts {
  readonly connections: number
  /** Devices that have a connection. */
  readonly peers: number
  readonly reservations: number
  /** Places since the start: those that began, were asked for again, and have ended. */
  readonly places: Readonly<Record<'begun' | 'renewed' | 'ended', number>>
  readonly circuits: number
  /** For how long what has been held up longest on its way has, ms. */
  readonly oldestHoldMs: number
  readonly dhtPeers: number
  /** Records that the DHT keeps. */
  readonly dhtRecords: number
  /** Since the start. */
  readonly gossipMessages: number
}
