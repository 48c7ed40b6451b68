/**
 * The network on libp2p. `createSwarm` gives a client's Swarm and Directory: authenticated channels to devices over
 * direct connections or circuits, relays kept joined across restarts, gossip, cards and records. `createRelayStack` is
 * the same network seen from a relay. No libp2p type leaves this directory.
 */
export type { Libp2pSwarm, SwarmOptions } from './libp2p-swarm.ts'
export { createSwarm } from './nodejs.ts'
export { temporaryMember } from './temporary-member.ts'
export { addressOfRequest } from './guarded-websockets.ts'
export { installRejectionGuard } from './rejection-guard.ts'
export * from './circuit/index.ts'
export * from './probe.ts'
export * from './relay-stack.ts'
export { MAX_RELAY_ADDRESSES } from './constants.ts'
export { EVERYWHERE, type ListenOptions } from './client-stack.ts'
export * from '../stun/index.ts'
export { systemClock, systemRandom } from '../platform/system.ts'
export { dhtOptions, GOSSIP_OPTIONS, type RecordJudge } from './stack-parts.ts'
