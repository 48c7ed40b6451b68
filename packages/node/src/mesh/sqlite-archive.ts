/** Core's BundleArchive on SQLite. */
import { chmodSync, renameSync, rmSync } from 'node:fs'
import {
  type ArchivedBundle,
  type BundleArchive,
  bundleHeader,
  type BundleKey,
  isSkeinError,
  MAX_CURES,
  SkeinError,
  type StoredCure,
} from '@skein/core'
import Database from 'better-sqlite3'
import { asc, count, eq, lt, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { nativePrimitives } from '../platform/primitives.ts'
import { explainSqlite } from '../store/open-on.ts'
import { MESH_MIGRATIONS } from './migrations.gen.ts'
import * as t from './schema.ts'

/** FULL: a neighbour that is told «taken» drops its copy sooner or later, so ours survives loss of power. */
const PRAGMAS = ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'auto_vacuum = INCREMENTAL'] as const
/** Pages that are given back to the disk after each look for what has expired. */
const VACUUM_PAGES = 1_024
/** Proofs beyond the bound for a while: counting them costs. */
const BOUND_AFTER = 4_096
/** Proofs in one statement. */
const ROWS = 512

type MeshDatabase = ReturnType<typeof drizzle>

export class SqliteArchive implements BundleArchive {
  private readonly sqlite: Database.Database
  private readonly db: MeshDatabase

  /** Proofs since their number was bounded. */
  private added = BOUND_AFTER

  constructor(sqlite: Database.Database) {
    this.sqlite = sqlite
    this.db = drizzle(sqlite)
  }

  bundles(): Promise<readonly ArchivedBundle[]> {
    return run(() =>
      this.db
        .select()
        .from(t.bundles)
        .orderBy(asc(t.bundles.number))
        .all()
        .flatMap(({ bundle, receivedAt, hops, hopLimit, copies, source }) => {
          const header = soundHeader(bundle)
          return header === undefined ? [] : [{ ...header, receivedAt, hops, hopLimit, copies, from: source }]
        }),
    )
  }

  put({ key, receivedAt, hops, hopLimit, copies, from }: ArchivedBundle, bundle: Uint8Array): Promise<void> {
    const row = { key, bundle, receivedAt, hops, hopLimit, copies, source: from }
    return run(() => void this.db.insert(t.bundles).values(row).onConflictDoNothing().run())
  }

  bytes(key: BundleKey): Promise<Uint8Array | null> {
    return run(() => this.db.select({ bundle: t.bundles.bundle }).from(t.bundles).where(eq(t.bundles.key, key)).get()?.bundle ?? null)
  }

  setCopies(key: BundleKey, copies: number): Promise<void> {
    return run(() => void this.db.update(t.bundles).set({ copies }).where(eq(t.bundles.key, key)).run())
  }

  remove(key: BundleKey): Promise<void> {
    return run(() => void this.db.delete(t.bundles).where(eq(t.bundles.key, key)).run())
  }

  cures(): Promise<readonly StoredCure[]> {
    return run(() => this.db.select().from(t.cures).orderBy(sql`rowid`).all())
  }

  putCures(cures: readonly StoredCure[]): Promise<void> {
    const later = sql`max(${t.cures.expiresAt}, excluded.expires_at)`
    return run(() => {
      this.db.transaction((tx) => {
        for (let at = 0; at < cures.length; at += ROWS) {
          const rows = cures.slice(at, at + ROWS)
          tx.insert(t.cures)
            .values(rows)
            .onConflictDoUpdate({ target: t.cures.key, set: { expiresAt: later } })
            .run()
        }
      })
      this.added += cures.length
      if (this.added >= BOUND_AFTER) this.boundCures()
    })
  }

  pruneCures(before: number): Promise<void> {
    return run(() => {
      this.db.delete(t.cures).where(lt(t.cures.expiresAt, before)).run()
      this.boundCures()
      this.db.run(sql.raw(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`))
    })
  }

  /** The book in memory forgets its first ones, too. */
  private boundCures(): void {
    this.added = 0
    const [row] = this.db.select({ count: count() }).from(t.cures).all()
    const surplus = (row?.count ?? 0) - MAX_CURES
    if (surplus > 0) this.db.run(sql`DELETE FROM cures WHERE rowid IN (SELECT rowid FROM cures ORDER BY rowid LIMIT ${surplus})`)
  }

  /** Idempotent. */
  close(): void {
    this.sqlite.close()
  }
}

/** Files of SQLite beside the one that is named. */
const COMPANIONS = ['-wal', '-shm', '-journal'] as const

/**
 * Opens the archive; a damaged file is put aside, for what it held of ours goes again from the outbox (ME21).
 * @param damaged told where it lies now @throws SkeinError as `openArchive`
 */
export function openOrReplaceArchive(path: string, damaged: (aside: string) => void): SqliteArchive {
  try {
    return openArchive(path)
  } catch (error) {
    if (!isSkeinError(error) || error.code !== 'STORE_CORRUPT') throw error
    const aside = `${path}.damaged`
    renameSync(path, aside)
    for (const companion of COMPANIONS) rmSync(`${path}${companion}`, { force: true })
    damaged(aside)
    return openArchive(path)
  }
}

/** @throws SkeinError STORE_LOCKED, STORE_CORRUPT, DATA_DIR_READ_ONLY, DISK_FULL */
export function openArchive(path: string): SqliteArchive {
  let opened: Database.Database | undefined
  try {
    opened = new Database(path, { timeout: 0 })
    if (process.platform !== 'win32') chmodSync(path, 0o600)
    for (const pragma of PRAGMAS.toReversed()) opened.pragma(pragma)
    const internal = drizzle(opened) as unknown as { dialect: { migrate(...args: readonly unknown[]): unknown }; session: unknown }
    if (opened.pragma('quick_check(1)', { simple: true }) !== 'ok')
      throw new SkeinError('STORE_CORRUPT', 'The file of the mesh is damaged.')
    internal.dialect.migrate(MESH_MIGRATIONS, internal.session, { migrationsFolder: '' })
    return new SqliteArchive(opened)
  } catch (error) {
    opened?.close()
    throw explainSqlite(error)
  }
}

/** A row that another version wrote, or that rotted, is left out; it expires like the rest. */
function soundHeader(bundle: Uint8Array): ReturnType<typeof bundleHeader> | undefined {
  try {
    return bundleHeader(bundle, nativePrimitives)
  } catch (error) {
    if (isSkeinError(error)) return undefined
    throw error
  }
}

async function run<T>(work: () => T): Promise<T> {
  try {
    return work()
  } catch (error) {
    throw explainSqlite(error)
  }
}
