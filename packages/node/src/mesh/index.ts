/**
 * The mesh on this machine: what is carried lies in a SQLite file, and connections on the local network are its links.
 * Promises: strangers are dialled within limits, and nothing here knows what the bundles hold.
 */
export * from './erasure.ts'
export * from './mesh-neighbours.ts'
export * from './sqlite-archive.ts'
export * from './start-mesh.ts'
