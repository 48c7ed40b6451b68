/**
 * The network on libp2p. `createSwarm` is core's Swarm and Directory for a client; `createRelayStack` is what a relay
 * is made of. No libp2p type leaves this folder.
 */
export * from './libp2p-swarm.ts'
export * from './rejection-guard.ts'
export * from './relay-stack.ts'
export { dhtOptions, GOSSIP_OPTIONS, type RecordJudge } from './stack-parts.ts'
