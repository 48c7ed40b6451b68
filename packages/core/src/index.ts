/**
 * Skein's messenger as pure logic: identity, wire, delivery, presence. Runs in Node.js and in browsers; knows no
 * libp2p, no platform and no timer. Everything it needs from outside comes through `ports`.
 */
export * from './contacts/index.ts'
export * from './conversation/index.ts'
export * from './delivery/index.ts'
export * from './discovery/index.ts'
export * from './dispatch/index.ts'
export * from './e2ee/index.ts'
export * from './e2ee/compression.ts'
export * from './e2ee/primitives.ts'
export * from './errors/index.ts'
export type * from './files/index.ts'
export * from './identity/index.ts'
export * from './ids.ts'
export * from './main-path/index.ts'
export * from './mesh/index.ts'
export * from './mailbox/index.ts'
export * from './messenger.ts'
export * from './messenger-ports.ts'
export type * from './ports/index.ts'
export * from './presence/index.ts'
export * from './wire/index.ts'
