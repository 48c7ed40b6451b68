/**
 * The messenger's database: one drizzle schema and one set of migrations for every SQLite; keys in it are sealed with
 * a storage key. This is the Node.js driver.
 */
export * from './better-sqlite3.ts'
export type { StorageKeySource } from './open-seal.ts'
export { STORAGE_KEY_BYTES } from './row-seal.ts'
