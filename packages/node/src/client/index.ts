/** The client: configuration, `createClient`, and the typed API in front of it. */
export type { Client } from './assemble.ts'
export * from './client.ts'
export * from './config.ts'
export { findInterface } from './page/interface-folder.ts'
