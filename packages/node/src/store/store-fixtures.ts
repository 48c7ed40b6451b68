/** What tests of the store share: a folder of their own, records, and a look at raw bytes. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeviceId, MessageId, StoredIdentity, StoredMessage, StoredPrekey, StoreWrite } from '@skein/core'
import Database from 'better-sqlite3'
import { openStore, type OpenStoreOptions } from './better-sqlite3.ts'
import { MIGRATIONS } from './migrations.gen.ts'
import type { SqliteStore } from './sqlite-store.ts'

export const KEY = new Uint8Array(32).fill(7)
export const DEVICE = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X' as DeviceId
export const storageKey = (): Promise<Uint8Array> => Promise.resolve(KEY)

export interface Folder extends Disposable {
  readonly dir: string
  readonly path: string
}

export function folder(): Folder {
  const dir = mkdtempSync(join(tmpdir(), 'skein-store-'))
  return { dir, path: join(dir, 'skein.sqlite'), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

export function open({ path }: Folder, more: Partial<OpenStoreOptions> = {}): Promise<SqliteStore> {
  return openStore({ path, storageKey, ...more })
}

/** A database as a version with the first `migrations` made it, open. */
export function oldDatabase({ path }: Folder, migrations: number): Database.Database {
  const old = new Database(path)
  old.exec('CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)')
  for (const { sql, hash, folderMillis } of MIGRATIONS.slice(0, migrations)) {
    for (const statement of sql) old.exec(statement)
    old.prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)').run(hash, folderMillis)
  }
  return old
}

/** `length` bytes that occur nowhere else by chance and do not repeat. */
export function canary(name: string, length: number): Uint8Array {
  let seed = [...name].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7)
  return Uint8Array.from({ length }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed >>> 24
  })
}

export function identity(): StoredIdentity {
  return { accountSeed: canary('account', 32), deviceSeed: canary('device', 32), dhSecret: canary('dh', 32), createdAt: 1 }
}

export function prekey(id: number): StoredPrekey {
  return { id, secret: canary(`prekey ${id}`, 32), kemSeed: canary(`kem ${id}`, 64), createdAt: 1, supersededAt: null }
}

export function sessionPut(version: number, length = 600): StoreWrite {
  return { kind: 'session.put', session: { device: DEVICE, version, state: canary(`state ${version}`, length) } }
}

export function message(number: number): StoredMessage {
  return {
    id: number.toString(16).padStart(32, '0') as MessageId,
    contact: 'somebody' as StoredMessage['contact'],
    direction: 'out',
    kind: 'text',
    replyTo: null,
    shared: null,
    disappearAfterMs: null,
    disappearAt: null,
    editedAt: null,
    deletedAt: null,
    ownReaction: null,
    contactReaction: null,
    seen: true,
    sender: DEVICE,
    text: `message ${number}`,
    state: 'queued',
    reason: null,
    createdAt: number,
    hlcMs: number,
    hlcCounter: 0,
    receivedAt: null,
    deliveredAt: null,
  }
}

/** Which of `needles` occur in the raw bytes of the database or its write-ahead log. */
export function onDisk({ path }: Folder, needles: Readonly<Record<string, Uint8Array>>): string[] {
  const files = [path, `${path}-wal`].filter((file) => existsSync(file)).map((file) => readFileSync(file))
  return Object.entries(needles).flatMap(([name, bytes]) => (files.some((file) => file.includes(bytes)) ? [name] : []))
}
