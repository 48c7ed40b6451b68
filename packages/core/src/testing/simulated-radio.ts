import type { Link } from '../mesh/index.ts'
import type { Clock, Random } from '../ports/index.ts'

/** What a radio is like. */
export interface RadioProfile {
  /** Bytes. */
  readonly mtu: number
  /** Bytes per second, shared by both directions. */
  readonly bandwidth: number
  /** Share of packets that are lost, 0 to 1. */
  readonly loss: number
}

/** Bluetooth LE as phones do it: packets of 500 bytes, 15 KB/s, one in ten lost between two rooms. */
export const BLUETOOTH_LE: RadioProfile = { mtu: 500, bandwidth: 15_000, loss: 0.1 }

class RadioEnd implements Link {
  readonly mtu: number
  readonly bandwidth: number
  readonly isReliable = false
  readonly cost = 0.5
  readonly isShared = true
  peer: RadioEnd | undefined
  private readonly inbox: Uint8Array[] = []
  private wake: (() => void) | undefined
  private closed = false
  private readonly transmit: (bytes: number) => Promise<boolean>

  constructor({ mtu, bandwidth }: RadioProfile, transmit: (bytes: number) => Promise<boolean>) {
    this.mtu = mtu
    this.bandwidth = bandwidth
    this.transmit = transmit
  }

  async send(packet: Uint8Array): Promise<boolean> {
    if (packet.length > this.mtu) throw new RangeError('a packet is larger than the link allows')
    const copy = packet.slice()
    const heard = this.closed ? false : await this.transmit(packet.length)
    if (heard && !this.closed) this.peer?.take(copy)
    return !this.closed
  }

  async *packets(): AsyncIterable<Uint8Array> {
    for (;;) {
      const packet = this.inbox.shift()
      if (packet !== undefined) yield packet
      else if (this.closed) return
      else await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }

  close(): void {
    for (const end of [this, this.peer]) end?.end()
  }

  private take(packet: Uint8Array): void {
    this.inbox.push(packet)
    this.wake?.()
  }

  private end(): void {
    this.closed = true
    this.wake?.()
  }
}

/** Both ends of a radio link on a clock that is told the time. */
export function simulatedRadio(profile: RadioProfile, { clock, random }: { clock: Clock; random: Random }): { a: Link; b: Link } {
  let free: Promise<unknown> = Promise.resolve()
  // One sender at a time: the air is shared.
  const transmit = (bytes: number): Promise<boolean> => {
    const sent = free.then(() => clock.sleep((bytes * 1_000) / profile.bandwidth))
    free = sent
    return sent.then(() => random.uniform() >= profile.loss)
  }
  const [a, b] = [new RadioEnd(profile, transmit), new RadioEnd(profile, transmit)]
  a.peer = b
  b.peer = a
  return { a, b }
}
