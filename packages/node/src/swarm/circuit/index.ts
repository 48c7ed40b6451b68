/**
 * The relay's side of Circuit Relay v2: places, circuits with back-pressure both ways, and the door. What is allowed is
 * decided by `RelayRules`, which the application gives.
 */
export type { Caller } from './caller.ts'
export * from './rules.ts'
