/**
 * Direct connections through NATs and firewalls, for Node.js: both sides open towards each other at the same instant, which
 * they agree on over a relayed connection. What comes of it is an ordinary libp2p connection. Nothing is sent to an address
 * that a stranger names, and nothing more than a bounded number of packets to any.
 */
import { type PunchDeps, TcpPuncher } from './tcp-puncher.ts'

export type { PunchDeps, PunchHost } from './tcp-puncher.ts'

export type Puncher = TcpPuncher

export function createPuncher(deps: PunchDeps): Puncher {
  return new TcpPuncher(deps)
}
