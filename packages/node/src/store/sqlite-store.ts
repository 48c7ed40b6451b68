/** Core's Store on any drizzle SQLite database; commits of one turn of the event loop share a transaction. */
import {
  type AccountId,
  type DeviceId,
  type Direction,
  type DueReceipt,
  type HistoryPage,
  type Journal,
  type JournalPosition,
  type MessageId,
  type MessageProgress,
  type OutboxDevice,
  type OutboxRow,
  type SearchPage,
  searchPhrases,
  SkeinError,
  type Store,
  type StoredAnnotation,
  type StoredContact,
  type StoredDevice,
  type StoredIdentity,
  type StoredInvite,
  type StoredMessage,
  type StoredOneTimePrekey,
  type StoredPrekey,
  type StoredProof,
  type StoredSession,
  type StoredFileWord,
  type StoredTransfer,
  type StoreWrite,
  type UnseenMessage,
  type WriteOutcome,
} from '@skein/core'
import { sql } from 'drizzle-orm'
import { applyWrite } from './apply-write.ts'
import { prepareReads, prepareWrites, type Reads, type Writes } from './queries.ts'
import type { Bracket, StoreDriver, StoreParts } from './store-driver.ts'
import { countUse } from './use-count.ts'

/** Messages a page of history holds when nothing is said. */
const DEFAULT_PAGE = 100
const MAX_PAGE = 1_000

interface Pending {
  readonly writes: readonly StoreWrite[]
  resolve(outcomes: readonly WriteOutcome[]): void
  reject(error: unknown): void
}

/** How long after a key was deleted or replaced its bytes may stay in the write-ahead log. */
export const PURGE_AFTER_MS = 60_000

/** Writes that leave a key or a text behind that must not stay, or that a copied-back database would lose. */
const LEAVES_BEHIND: ReadonlySet<StoreWrite['kind']> = new Set([
  'session.put',
  'session.remove',
  'prekey.put',
  'prekey.remove',
  'one-time.put',
  'one-time.remove',
  'one-time.prune',
  'identity.put',
  'annotation.put',
  'messages.disappear',
])

export class SqliteStore implements Store {
  /** Whether the database turned out to be an old copy when it was opened. */
  readonly restored: boolean
  private readonly driver: StoreDriver
  private readonly parts: StoreParts
  private readonly reads: Reads
  private readonly writes: Writes
  private readonly closing = new AbortController()
  private pending: Pending[] = []
  private purges: (() => Promise<void>)[] = []
  private purgePlanned = false
  private flushing: Promise<void> | undefined
  private closed = false

  constructor(driver: StoreDriver, parts: StoreParts) {
    this.driver = driver
    this.parts = parts
    this.restored = parts.restored
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
    while (this.pending.length > 0 || this.purges.length > 0) {
      if (this.pending.length > 0) await this.flush(this.pending.splice(0))
      for (const purge of this.purges.splice(0)) await purge()
    }
    this.flushing = undefined
  }

  /**
   * All of `batch` in one transaction. When one fails, all are taken back and each has a transaction of its own: a savepoint
   * for each would spare that, but FTS5 writes its index whenever one ends.
   */
  private async flush(batch: readonly Pending[]): Promise<void> {
    let isApplied = false
    try {
      await this.run('BEGIN IMMEDIATE')
      const outcomes: WriteOutcome[][] = []
      for (const { writes } of batch) outcomes.push(await this.applyAll(writes))
      isApplied = true
      await this.run('COMMIT')
      await this.driver.afterCommit?.()
      for (const [at, { resolve }] of batch.entries()) resolve(outcomes[at] ?? [])
      if (batch.some(({ writes }) => writes.some(({ kind }) => LEAVES_BEHIND.has(kind)))) void this.planPurge()
    } catch (error) {
      await this.run('ROLLBACK').catch(() => undefined)
      if (!isApplied && batch.length > 1) for (const each of batch) await this.flush([each])
      else for (const { reject } of batch) reject(this.driver.explain(error))
    }
  }

  private async applyAll(writes: readonly StoreWrite[]): Promise<WriteOutcome[]> {
    const outcomes: WriteOutcome[] = []
    for (const write of writes) outcomes.push(await applyWrite({ db: this.driver.db, writes: this.writes, seal: this.parts.seal }, write))
    return outcomes
  }

  private async run(statement: Bracket): Promise<void> {
    if (this.driver.bracket === undefined) await this.driver.db.run(sql.raw(statement))
    else this.driver.bracket(statement)
  }

  /**
   * Makes bytes of keys that were deleted or replaced disappear from the database file and its write-ahead log, and
   * counts the use. Happens by itself within PURGE_AFTER_MS, and when the store is closed.
   * @throws SkeinError STORE_CLOSED, DISK_FULL
   */
  purge(): Promise<void> {
    if (this.closed) return Promise.reject(storeClosed())
    return new Promise((resolve, reject) => {
      this.purges.push(() => this.purgeNow().then(resolve, (error: unknown) => reject(this.driver.explain(error))))
      this.flushing ??= this.flushSoon()
    })
  }

  /** Counted first, so that the log is empty afterwards; emptied also when there is no room to count. */
  private async purgeNow(): Promise<void> {
    try {
      await countUse(this.driver.db, this.parts.mark)
    } finally {
      await this.driver.db.all(sql.raw('PRAGMA wal_checkpoint(TRUNCATE)'))
    }
  }

  /** One wait for all that is deleted meanwhile: at most one purge a minute, whatever the traffic. */
  private async planPurge(): Promise<void> {
    if (this.purgePlanned) return
    this.purgePlanned = true
    const elapsed = await this.parts.clock.sleep(PURGE_AFTER_MS, { signal: this.closing.signal })
    this.purgePlanned = false
    // One that fails, on a full disk say, is made up for by the next or when the store is closed.
    if (elapsed) await this.purge().catch(() => undefined)
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
    return row === undefined ? null : this.parts.seal.openIdentity(row)
  }

  contacts(): Promise<readonly StoredContact[]> {
    return this.read(async (reads) => this.openContacts((await reads.contacts.all()) as StoredContact[]))
  }

  contact(account: AccountId): Promise<StoredContact | null> {
    return this.read(async (reads) => first(this.openContacts((await reads.contact.all({ account })) as StoredContact[])))
  }

  private openContacts(rows: readonly StoredContact[]): StoredContact[] {
    return rows.map((row) => this.parts.seal.openContact(row))
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
    return this.read(async (reads) =>
      (await reads.invites.all()).map((row) => ({ ...row, secret: this.parts.seal.openInvite(row.secret) })),
    )
  }

  message(id: MessageId, direction?: Direction): Promise<StoredMessage | null> {
    return this.read(async (reads) => {
      const rows = (await reads.message.all({ id })) as StoredMessage[]
      return first(direction === undefined ? rows : rows.filter((row) => row.direction === direction))
    })
  }

  async history(contact: AccountId, { after, before, limit = DEFAULT_PAGE }: HistoryPage = {}): Promise<readonly StoredMessage[]> {
    const page = { contact, limit: Math.min(Math.max(1, limit), MAX_PAGE) }
    const id = after ?? before
    const mark = id === undefined ? null : await this.message(id)
    if (id !== undefined && mark === null) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
    return this.read(async (reads) => {
      if (mark === null) return ((await reads.newest.all(page)) as StoredMessage[]).reverse()
      const from = { ...page, ms: mark.hlcMs, counter: mark.hlcCounter, id: mark.id }
      if (after !== undefined) return (await reads.nextAfter.all(from)) as StoredMessage[]
      return ((await reads.newestBefore.all(from)) as StoredMessage[]).reverse()
    })
  }

  unseen(contact: AccountId, limit: number): Promise<readonly UnseenMessage[]> {
    return this.read(async (reads) => (await reads.unseen.all({ contact, limit })) as UnseenMessage[])
  }

  annotation(id: MessageId): Promise<StoredAnnotation | null> {
    return this.read(async (reads) => ((await reads.annotation.all({ id }))[0] as StoredAnnotation | undefined) ?? null)
  }

  disappearAfter(contact: AccountId): Promise<number | null> {
    return this.read(async (reads) => (await reads.timer.all({ contact }))[0]?.disappearAfterMs ?? null)
  }

  disappearing(limit: number): Promise<readonly StoredMessage[]> {
    return this.read(async (reads) => (await reads.disappearing.all({ limit })) as StoredMessage[])
  }

  async search(query: string, { contact, before, limit = DEFAULT_PAGE }: SearchPage = {}): Promise<readonly StoredMessage[]> {
    // Words are letters, marks and digits alone: nothing of the search's own language comes in from outside.
    const match = searchPhrases(query)
      .map((words) => `"${words.join(' ')}"*`)
      .join(' ')
    const mark = before === undefined ? null : await this.message(before)
    if (before !== undefined && mark === null) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
    if (match === '') return []
    const asked = { match, contact: contact ?? null, limit: Math.min(limit, MAX_PAGE) }
    return this.read(async (reads) => {
      if (mark === null) return (await reads.search.all(asked)) as StoredMessage[]
      return (await reads.searchBefore.all({ ...asked, ms: mark.hlcMs, counter: mark.hlcCounter, id: mark.id })) as StoredMessage[]
    })
  }

  outbox(device: DeviceId, after: number, limit: number): Promise<readonly OutboxRow[]> {
    return this.read(async (reads) => (await reads.outbox.all({ device, after, limit })) as OutboxRow[])
  }

  transfers(): Promise<readonly StoredTransfer[]> {
    return this.read(async (reads) => this.openTransfers(await reads.transfers.all()))
  }

  transfer(id: MessageId, direction: Direction): Promise<StoredTransfer | null> {
    return this.read(async (reads) => first(this.openTransfers(await reads.transfer.all({ id, direction }))))
  }

  fileWords(contact: AccountId, transfer: MessageId): Promise<readonly StoredFileWord[]> {
    return this.read(async (reads) => (await reads.fileWords.all({ contact, transfer })) as StoredFileWord[])
  }

  private openTransfers(rows: readonly unknown[]): StoredTransfer[] {
    return rows.map((row) => this.parts.seal.openTransfer(row as StoredTransfer))
  }

  outboxDevices(): Promise<readonly OutboxDevice[]> {
    return this.read(async (reads) => (await reads.outboxDevices.all()) as OutboxDevice[])
  }

  outboxOf(message: MessageId): Promise<readonly OutboxRow[]> {
    return this.read(async (reads) => (await reads.outboxOf.all({ message })) as OutboxRow[])
  }

  outboxExpired(now: number, limit: number): Promise<readonly OutboxRow[]> {
    return this.read(async (reads) => (await reads.outboxExpired.all({ now, limit })) as OutboxRow[])
  }

  journal(after: JournalPosition, limit: number): Promise<Journal> {
    return this.read(async (reads) => ({
      messages: (await reads.journalMessages.all({ after: after.messages, limit })) as unknown as Journal['messages'],
      annotations: (await reads.journalAnnotations.all({ after: after.annotations, limit })) as unknown as Journal['annotations'],
      last: {
        messages: (await reads.lastMessage.all())[0]?.position ?? 0,
        annotations: (await reads.lastAnnotation.all())[0]?.position ?? 0,
      },
    }))
  }

  proofs(message: MessageId): Promise<readonly StoredProof[]> {
    return this.read(async (reads) => (await reads.proofs.all({ message })) as StoredProof[])
  }

  progress(message: MessageId): Promise<readonly MessageProgress[]> {
    return this.read(async (reads) => (await reads.progress.all({ message })) as MessageProgress[])
  }

  async receiptDevices(): Promise<readonly DeviceId[]> {
    return (await this.read((reads) => reads.receiptDevices.all())).map(({ device }) => device as DeviceId)
  }

  receiptsDue(device: DeviceId, limit: number): Promise<readonly DueReceipt[]> {
    return this.read(async (reads) => (await reads.receiptsDue.all({ device, limit })) as DueReceipt[])
  }

  async tokens(mailbox: string, giver: AccountId | null, limit: number): Promise<readonly Uint8Array[]> {
    return (await this.read((reads) => reads.tokens.all({ mailbox, giver: giver ?? '', limit }))).map(({ token }) => token)
  }

  session(device: DeviceId): Promise<StoredSession | null> {
    return this.read(async (reads) => {
      const row = first((await reads.session.all({ device })) as StoredSession[])
      return row === null ? null : this.parts.seal.openSession(row)
    })
  }

  prekeys(): Promise<readonly StoredPrekey[]> {
    return this.read(async (reads) => (await reads.prekeys.all()).map((row) => this.parts.seal.openPrekey(row)))
  }

  oneTimePrekeys(device: DeviceId): Promise<readonly StoredOneTimePrekey[]> {
    return this.read(async (reads) => {
      const rows = (await reads.oneTimePrekeys.all({ device })) as StoredOneTimePrekey[]
      return rows.map((row) => this.parts.seal.openOneTimePrekey(row))
    })
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
    this.closing.abort()
    await this.flushing
    // What was committed is durable; a store that cannot be purged, on a full disk say, must still close.
    await this.purgeNow().catch(() => undefined)
    await this.driver.close()
  }
}

function first<T>(rows: readonly T[]): T | null {
  return rows[0] ?? null
}

function storeClosed(): SkeinError {
  return new SkeinError('STORE_CLOSED', 'The store is closed.')
}
