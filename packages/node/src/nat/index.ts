/** How this machine stands behind NATs: found out when a relay is joined and when the network changes, for people and for the ladder of paths. */
export * from './nat-knowledge.ts'
export type { NatView } from './nat-probe.ts'
export { askRelay, type RelayAnswer } from './relay-answer.ts'
