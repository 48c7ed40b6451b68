/**
 * A backup: identity, contacts and history in one file, sealed with a passphrase in the age format (age-encryption.org/v1,
 * so that any age program opens it), inside it one JSON record per line. Never in it: sessions, prekeys and other keys that
 * must not be used twice. Runs in Node.js and in browsers.
 */
export { type BackupOptions, writeBackup } from './write-backup.ts'
export { openBackup, type OpenedBackup, readBackup, type ReadOptions, type Restored } from './read-backup.ts'
