import type { Clock } from '../../ports/clock.ts'
import { RateLimit } from '../rate-limit.ts'
import type { Link } from './link.ts'

/** So many seconds' worth may go at once, and always one packet. */
const BURST_SECONDS = 2

/** A link that is sent over no faster than its owner allows: others' traffic shall not fill somebody's uplink. */
export class PacedLink implements Link {
  readonly mtu: number
  readonly bandwidth: number
  readonly isReliable: boolean
  readonly cost: number
  private readonly link: Link
  private readonly clock: Clock
  private readonly rate: RateLimit
  private turn: Promise<unknown> = Promise.resolve()

  constructor(link: Link, clock: Clock, bytesPerSecond: number) {
    this.mtu = link.mtu
    this.bandwidth = Math.min(link.bandwidth, bytesPerSecond)
    this.isReliable = link.isReliable
    this.cost = link.cost
    this.link = link
    this.clock = clock
    this.rate = new RateLimit({ burst: Math.max(link.mtu, BURST_SECONDS * bytesPerSecond), perSecond: bytesPerSecond }, clock.monotonic())
  }

  send(packet: Uint8Array): Promise<boolean> {
    if (packet.length > this.mtu) return Promise.reject(new RangeError('a packet is larger than the link allows'))
    const sent = this.turn.then(() => this.sendWhenDue(packet))
    this.turn = sent.catch(() => undefined)
    return sent
  }

  packets(): AsyncIterable<Uint8Array> {
    return this.link.packets()
  }

  close(): void {
    this.link.close()
  }

  private async sendWhenDue(packet: Uint8Array): Promise<boolean> {
    while (!this.rate.takes(packet.length, this.clock.monotonic()))
      await this.clock.sleep(Math.max(1, this.rate.wait(packet.length, this.clock.monotonic())))
    return this.link.send(packet)
  }
}
