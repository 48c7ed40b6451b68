/**
 * Direct connections through NATs and firewalls, for Node.js: both sides send towards each other at the same time, which
 * they agree on over a relayed connection; over TCP, and over UDP where a NAT's ports cannot be foreseen. What comes of it
 * is an ordinary libp2p connection. Nothing is sent because a stranger asks for it, and nothing more than a bounded number
 * of packets to anybody; over UDP only to addresses of which one of the user's own relays has proof.
 */
import type { DeviceId } from '@skein/core'
import type { PunchDeps } from './host.ts'
import { TcpPuncher } from './tcp-puncher.ts'
import { UdpPuncher } from './udp-puncher.ts'

export type { PunchDeps, PunchHost } from './host.ts'
export { mappingOf } from './nat-mapping.ts'
export { isPublic, ownPublicHosts } from './targets.ts'

export class Puncher {
  readonly tcp: TcpPuncher
  readonly udp: UdpPuncher
  private turnsRound: boolean | null = null

  constructor(deps: PunchDeps) {
    const known = { ...deps, turnsRound: () => this.turnsRound }
    this.tcp = new TcpPuncher(known)
    this.udp = new UdpPuncher(known)
  }

  /** Answers the other side from now on. */
  async serve(): Promise<void> {
    await Promise.all([this.tcp.serve(), this.udp.serve()])
  }

  /** This machine has other addresses, or another way out. */
  move(): void {
    this.turnsRound = null
    this.tcp.move()
    this.udp.move()
  }

  /** Whether the router here turns packets round; `null` where that is not known. */
  knowHairpin(turnsRound: boolean | null): void {
    this.turnsRound = turnsRound
  }

  /** The device is reached directly: whatever is under way for it ends. */
  settle(device: DeviceId): void {
    this.tcp.settle(device)
    this.udp.settle(device)
  }
}

export function createPuncher(deps: PunchDeps): Puncher {
  return new Puncher(deps)
}
