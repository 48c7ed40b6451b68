/** The typed local API: one contract, its server, and its binding to a local socket. */
export type * from './api-client.ts'
export * from './contract.ts'
export * from './errors.ts'
export * from './socket.ts'
