import type { Clock } from '../../ports/clock.ts'
import { RateLimit } from '../rate-limit.ts'
import type { Link } from './link.ts'

/** So many seconds' worth may go at once, and always one packet. */
const BURST_SECONDS = 2

/** How fast one or more links together may be sent over. */
export class Pace {
  readonly bytesPerSecond: number
  private readonly clock: Clock
  private readonly rate: RateLimit
  private last: Promise<void> = Promise.resolve()

  /** @param largestPacket of any of the links, in bytes */
  constructor(bytesPerSecond: number, clock: Clock, largestPacket: number) {
    this.bytesPerSecond = bytesPerSecond
    this.clock = clock
    const burst = Math.max(largestPacket, BURST_SECONDS * bytesPerSecond)
    this.rate = new RateLimit({ burst, perSecond: bytesPerSecond }, clock.monotonic())
  }

  /** Resolves when so much may go, in the order in which links have asked: a large packet waits behind one small one of each other link at most. */
  turn(bytes: number): Promise<void> {
    this.last = this.last.then(() => this.room(bytes))
    return this.last
  }

  private async room(bytes: number): Promise<void> {
    while (!this.rate.takes(bytes, this.clock.monotonic()))
      await this.clock.sleep(Math.max(1, this.rate.wait(bytes, this.clock.monotonic())))
  }
}

/** A link that is sent over no faster than its owner allows: others' traffic shall not fill somebody's uplink. */
export class PacedLink implements Link {
  readonly mtu: number
  readonly bandwidth: number
  readonly isReliable: boolean
  readonly cost: number
  readonly isShared: boolean
  private readonly link: Link
  private readonly pace: Pace
  private turn: Promise<unknown> = Promise.resolve()

  constructor(link: Link, pace: Pace) {
    this.mtu = link.mtu
    this.bandwidth = Math.min(link.bandwidth, pace.bytesPerSecond)
    this.isReliable = link.isReliable
    this.cost = link.cost
    this.isShared = link.isShared ?? false
    this.link = link
    this.pace = pace
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
    await this.pace.turn(packet.length)
    return this.link.send(packet)
  }
}
