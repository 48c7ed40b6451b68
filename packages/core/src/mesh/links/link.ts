/**
 * One hop to a mesh neighbour: a libp2p connection, Bluetooth LE, a serial line. Packets may be lost and come twice or out
 * of order; what arrives is as it was sent. Every adapter passes `linkContract` of `@skein/core/contracts`.
 */
export interface Link {
  /** Largest packet, in bytes, at least 64. */
  readonly mtu: number
  /** Bytes per second, as far as known. */
  readonly bandwidth: number
  /** Whether packets arrive once and in order as long as the link is there: then nothing is confirmed or repeated above it. */
  readonly isReliable: boolean
  /** What a byte costs compared with a LAN: 0 is nothing, 1 is a metered or battery-hungry radio. */
  readonly cost: number
  /** Whether neighbours hear each other on it, as on a radio: then whoever passes something on waits a moment (ME45). */
  readonly isShared?: boolean
  /** Resolves when there is room for the next packet; `false` once the link is gone. @throws RangeError above the MTU */
  send(packet: Uint8Array): Promise<boolean>
  /** Packets as they arrive; ends when the link is gone. At most one consumer. */
  packets(): AsyncIterable<Uint8Array>
  /** Idempotent. */
  close(): void
}
