/** Core's Store on any drizzle SQLite database; commits of one turn of the event loop share a transaction. */
import {
  type AccountId,
  type DeviceId,
  type Direction,
  type HistoryPage,
  type MessageId,
  type OutboxRow,
  SkeinError,
  type Store,
  type StoredContact,
  type StoredDevice,
  type StoredIdentity,
  type StoredInvite,
  type StoredMessage,
  type StoredPrekey,
  type StoredSession,
  type StoreWrite,
  type WriteOutcome,
} from '@skein/core'
import { sql } from 'drizzle-orm'
import { applyWrite } from './apply-write.ts'
import { type AnyDatabase, prepareReads, prepareWrites, type Reads, type Writes } from './queries.ts'

/** Messages a page of history holds when nothing is said. */
const DEFAULT_PAGE = 100
const MAX_PAGE = 1_000

interface Pending {
  readonly writes: readonly StoreWrite[]
  resolve(outcomes: readonly WriteOutcome[]): void
  reject(error: unknown): void
}

export interface StoreDriver {
  readonly db: AnyDatabase
  /** Calls back when the events at hand have been handled, so that their commits can share a transaction. */
  afterTurn(work: () => void): void
  /** A failure of the database as one of ours. */
  explain(error: unknown): unknown
  close(): Promise<void> | void
}

export class SqliteStore implements Store {
  private readonly driver: StoreDriver
  private readonly reads: Reads
  private readonly writes: Writes
  private pending: Pending[] = []
  private flushing: Promise<void> | undefined
  private closed = false

  constructor(driver: StoreDriver) {
    this.driver = driver
    this.reads = prepareReads(driver.db)
    this.writes = prepareWrites(driver.db)
  }

  commit(writes: readonly StoreWrite[]): Promise<readonly WriteOutcome[]> {
    if (this.closed) return Promise.reject(storeClosed())
    return new Promise((resolve, reject) => {
      this.pending.push({ writes, resolve, reject })
      this.flushing ??= this.flushSoon()
    })
  }

  private async flushSoon(): Promise<void> {
    await new Promise<void>((resolve) => this.driver.afterTurn(resolve))
    while (this.pending.length > 0) await this.flush(this.pending.splice(0))
    this.flushing = undefined
  }

  /** All of `batch` in one transaction, each commit within a savepoint of its own: one that fails does not spoil the rest. */
  private async flush(batch: readonly Pending[]): Promise<void> {
    const settled: (() => void)[] = []
    try {
      await this.run('BEGIN IMMEDIATE')
      for (const each of batch) settled.push(await this.applyOne(each))
      await this.run('COMMIT')
      for (const settle of settled) settle()
    } catch (error) {
      await this.run('ROLLBACK').catch(() => undefined)
      for (const { reject } of batch) reject(this.driver.explain(error))
    }
  }

  /** @throws what ended the whole transaction: SQLite takes all of it back when the disk is full */
  private async applyOne({ writes, resolve, reject }: Pending): Promise<() => void> {
    const outcomes: WriteOutcome[] = []
    await this.run('SAVEPOINT one')
    try {
      for (const write of writes) outcomes.push(await applyWrite({ db: this.driver.db, writes: this.writes }, write))
    } catch (error) {
      await this.run('ROLLBACK TO one').catch(() => Promise.reject(error))
      await this.run('RELEASE one')
      return () => reject(this.driver.explain(error))
    }
    await this.run('RELEASE one')
    return () => resolve(outcomes)
  }

  private async run(
    statement: 'BEGIN IMMEDIATE' | 'COMMIT' | 'ROLLBACK' | 'SAVEPOINT one' | 'ROLLBACK TO one' | 'RELEASE one',
  ): Promise<void> {
    await this.driver.db.run(sql.raw(statement))
  }

  /** Reads see only what is durable: they wait for a transaction that is under way. */
  private async read<T>(query: (reads: Reads) => T | Promise<T>): Promise<T> {
    await this.flushing
    if (this.closed) throw storeClosed()
    try {
      return await query(this.reads)
    } catch (error) {
      throw this.driver.explain(error)
    }
  }

  async identity(): Promise<StoredIdentity | null> {
    const [row] = await this.read((reads) => reads.identity.all())
    if (row === undefined) return null
    const { id: _id, ...identity } = row
    return identity
  }

  contacts(): Promise<readonly StoredContact[]> {
    return this.read(async (reads) => (await reads.contacts.all()) as StoredContact[])
  }

  contact(account: AccountId): Promise<StoredContact | null> {
    return this.read(async (reads) => first((await reads.contact.all({ account })) as StoredContact[]))
  }

  devices(account?: AccountId): Promise<readonly StoredDevice[]> {
    return this.read(
      async (reads) => (await (account === undefined ? reads.devices.all() : reads.devicesOf.all({ account }))) as StoredDevice[],
    )
  }

  device(device: DeviceId): Promise<StoredDevice | null> {
    return this.read(async (reads) => first((await reads.device.all({ device })) as StoredDevice[]))
  }

  invites(): Promise<readonly StoredInvite[]> {
    return this.read((reads) => reads.invites.all())
  }

  message(id: MessageId, direction?: Direction): Promise<StoredMessage | null> {
    return this.read(async (reads) => {
      const rows = (await reads.message.all({ id })) as StoredMessage[]
      return first(direction === undefined ? rows : rows.filter((row) => row.direction === direction))
    })
  }

  async history(contact: AccountId, { after, limit = DEFAULT_PAGE }: HistoryPage = {}): Promise<readonly StoredMessage[]> {
    const most = Math.min(Math.max(1, limit), MAX_PAGE)
    const mark = after === undefined ? null : await this.message(after)
    if (after !== undefined && mark === null) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
    return this.read(async (reads) => {
      const place = mark === null ? null : { contact, limit: most, ms: mark.hlcMs, counter: mark.hlcCounter, id: mark.id }
      const rows = place === null ? await reads.newest.all({ contact, limit: most }) : await reads.newestAfter.all(place)
      return (rows as StoredMessage[]).reverse()
    })
  }

  outbox(device: DeviceId, now: number, limit: number): Promise<readonly OutboxRow[]> {
    const until = Math.min(now, Number.MAX_SAFE_INTEGER)
    return this.read(async (reads) => (await reads.outbox.all({ device, now: until, limit })) as OutboxRow[])
  }

  outboxDevices(): Promise<readonly { readonly device: DeviceId; readonly nextAt: number }[]> {
    return this.read(async (reads) => (await reads.outboxDevices.all()) as { device: DeviceId; nextAt: number }[])
  }

  session(device: DeviceId): Promise<StoredSession | null> {
    return this.read(async (reads) => first((await reads.session.all({ device })) as StoredSession[]))
  }

  prekeys(): Promise<readonly StoredPrekey[]> {
    return this.read((reads) => reads.prekeys.all())
  }

  async hasDigest(digest: Uint8Array): Promise<boolean> {
    return (await this.read((reads) => reads.digest.all({ digest }))).length > 0
  }

  async seq(device: DeviceId): Promise<number> {
    return (await this.read((reads) => reads.seq.all({ device })))[0]?.seq ?? 0
  }

  async setting(key: string): Promise<string | null> {
    return (await this.read((reads) => reads.setting.all({ key })))[0]?.value ?? null
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.flushing
    await this.driver.close()
  }
}

function first<T>(rows: readonly T[]): T | null {
  return rows[0] ?? null
}

function storeClosed(): SkeinError {
  return new SkeinError('STORE_CLOSED', 'The store is closed.')
}
