/** What is carried for others, in a file of its own: ciphertext that may be deleted at any time, and no place for keys. */
import { customType, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'blob',
  fromDriver: (value) => new Uint8Array(value),
})

export const bundles = sqliteTable('bundles', {
  /** Order in which they came. */
  number: integer('number').primaryKey({ autoIncrement: true }),
  /** First 8 bytes of the id, hex. */
  key: text('key').notNull().unique(),
  bundle: bytes('bundle').notNull(),
  /** Milliseconds since 1970. */
  receivedAt: integer('received_at').notNull(),
  hops: integer('hops').notNull(),
  hopLimit: integer('hop_limit').notNull(),
  copies: integer('copies').notNull(),
  /** The neighbour it came from; empty where it was made. */
  source: text('source').notNull(),
})

export const cures = sqliteTable('cures', { key: bytes('key').primaryKey(), expiresAt: integer('expires_at').notNull() }, (table) => [
  index('cures_expiry').on(table.expiresAt),
])
