import type { Channel } from '../../ports/swarm.ts'
import { MAX_FRAME_BYTES } from '../../wire/limits.ts'
import type { Link } from './link.ts'

/** Assumed of a local network until somebody measures it, in bytes per second. */
const LAN_BANDWIDTH = 12_500_000

/** A mesh link over a channel of the swarm: reliable, in large packets. */
export class ChannelLink implements Link {
  readonly mtu = MAX_FRAME_BYTES
  readonly isReliable = true
  readonly bandwidth: number
  readonly cost: number
  private readonly channel: Channel

  constructor(channel: Channel, { bandwidth = LAN_BANDWIDTH, cost = 0 }: { readonly bandwidth?: number; readonly cost?: number } = {}) {
    this.channel = channel
    this.bandwidth = bandwidth
    this.cost = cost
  }

  send(packet: Uint8Array): Promise<boolean> {
    if (packet.length > this.mtu) return Promise.reject(new RangeError('a packet is larger than the link allows'))
    return this.channel.send(packet)
  }

  packets(): AsyncIterable<Uint8Array> {
    return this.channel.frames()
  }

  close(): void {
    this.channel.close()
  }
}
