/**
 * The mesh: bundles that hop, are carried, and arrive, as pure state machines. A driver (a node's links, or the simulator)
 * moves the bytes and tells the time. Promises that nothing a neighbour says makes memory or traffic grow without bound.
 */
export * from './bundle.ts'
export * from './bundle-store.ts'
export { cureKeyOf, cureLock, MAX_CURES } from './cure-book.ts'
export * from './links/index.ts'
export * from './mesh-node.ts'
export * from './pieces/index.ts'
export * from './policies/index.ts'
export { RateLimit } from './rate-limit.ts'
export * from './routes/index.ts'
export * from './service/index.ts'
export type * from './neighbour.ts'
