/** A running Skein node for Node.js: core on libp2p and SQLite. */
export * from './client/index.ts'
