/**
 * Raw TCP connections for bulk: they carry frames that are sealed already, so neither end nor a relay between them
 * encrypts anything again. Whoever opens one has proven by a key from an authenticated channel who it is; after that
 * nothing on the wire is trusted, and what is in the frames has to show by itself that it is whole. docs/spec/bulk.md.
 */
export { type BulkConnection, SocketBulkConnection } from './bulk-connection.ts'
export * from './bulk-channels.ts'
export { MAX_BULK_FRAME_BYTES } from './constants.ts'
export { endpointOf } from './endpoint.ts'
