/**
 * Ports: everything core needs from the outside world, as small interfaces. Each has a contract suite in
 * `@skein/core/contracts` that every adapter passes.
 */
export type * from './clock.ts'
export type * from './compression.ts'
export type * from './directory.ts'
export type * from './discovery.ts'
export type * from './logger.ts'
export type * from './primitives.ts'
export type * from './random.ts'
export type * from './store.ts'
export type * from './swarm.ts'
export type * from './mailbox-store.ts'
export type * from './tokens.ts'
