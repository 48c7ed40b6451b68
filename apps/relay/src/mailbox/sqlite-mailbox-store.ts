/** The mailbox on the relay's own SQLite database. */
import { MAIL_OVERHEAD_BYTES } from '@skein/core'
import type { BoxState, BoxVerdict, MailboxStore, MailDeposit, MailQuery, StoredMail } from '@skein/core'
import type BetterSqlite3 from 'better-sqlite3'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS mail (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT, tag TEXT NOT NULL, digest BLOB NOT NULL, envelope BLOB NOT NULL, expires_at INTEGER NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS mail_once ON mail (tag, digest);
  CREATE INDEX IF NOT EXISTS mail_of_tag ON mail (tag, cursor, expires_at);
  CREATE INDEX IF NOT EXISTS mail_by_expiry ON mail (expires_at);
  CREATE TABLE IF NOT EXISTS boxes (
    tag TEXT PRIMARY KEY, allowance INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS spent (nonce BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS issued (peer TEXT NOT NULL, day INTEGER NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (peer, day)) WITHOUT ROWID;
`
/** Bytes of a reply beside each envelope. */
const ITEM_BYTES = 16

interface Box {
  readonly allowance: number
  readonly count: number
  readonly bytes: number
}

export class SqliteMailboxStore implements MailboxStore {
  readonly #database: BetterSqlite3.Database
  readonly #sql: ReturnType<typeof prepare>
  #totalBytes: number

  /** Makes its tables where they are missing. */
  constructor(database: BetterSqlite3.Database) {
    database.exec(SCHEMA)
    this.#database = database
    this.#sql = prepare(database)
    this.#totalBytes = this.#sum()
  }

  async deposit(
    batch: readonly MailDeposit[],
    judge: (deposit: MailDeposit, state: BoxState) => BoxVerdict,
  ): Promise<readonly BoxVerdict[]> {
    const before = this.#totalBytes
    try {
      return this.#database.transaction(() => batch.map((deposit) => this.#apply(deposit, judge)))()
    } catch (error) {
      this.#totalBytes = before
      throw error
    }
  }

  #apply(deposit: MailDeposit, judge: (deposit: MailDeposit, state: BoxState) => BoxVerdict): BoxVerdict {
    const { tag, digest, envelope, expiresAt, token } = deposit
    const box = (this.#sql.box.get(tag) as Box | undefined) ?? { allowance: 0, count: 0, bytes: 0 }
    const known = this.#sql.known.get(tag, digest) !== undefined
    const spent = token !== undefined && this.#sql.spent.get(token.nonce) !== undefined
    const verdict = judge(deposit, { ...box, known, spent, totalBytes: this.#totalBytes })
    if (verdict.kind !== 'store') return verdict
    if (token !== undefined && verdict.allowance > box.allowance) this.#sql.spend.run(token.nonce, token.until)
    const charge = envelope.length + MAIL_OVERHEAD_BYTES
    this.#sql.put.run(tag, digest, envelope, expiresAt)
    this.#sql.setBox.run(tag, verdict.allowance, box.count + 1, box.bytes + charge, expiresAt)
    this.#totalBytes += charge
    return verdict
  }

  async fetch({ tags, after, limit, maxBytes, now }: MailQuery): Promise<readonly StoredMail[]> {
    const items: StoredMail[] = []
    let bytes = 0
    for (const row of this.#sql.fetch.iterate({ after, now, tags: JSON.stringify(tags), limit })) {
      const { cursor, envelope } = row as { cursor: number; envelope: Uint8Array }
      bytes += envelope.length + ITEM_BYTES
      if (items.length > 0 && bytes > maxBytes) break
      items.push({ cursor, envelope: new Uint8Array(envelope) })
    }
    return items
  }

  async forget(tags: readonly string[], cursors: readonly number[]): Promise<void> {
    this.#remove(this.#sql.owned.all(JSON.stringify(cursors), JSON.stringify(tags)) as Lying[])
  }

  async grant(peer: string, day: number, { count, most }: { readonly count: number; readonly most: number }): Promise<number> {
    return this.#database.transaction(() => {
      const had = (this.#sql.issued.get(peer, day) as { tokens: number } | undefined)?.tokens ?? 0
      const granted = Math.max(0, Math.min(count, most - had))
      this.#sql.setIssued.run(peer, day, had + granted)
      return granted
    })()
  }

  async sweep(now: number): Promise<void> {
    this.#remove(this.#sql.expired.all(now) as Lying[])
    this.#database.transaction(() => {
      this.#sql.sweepBoxes.run(now)
      this.#sql.sweepSpent.run(now)
      this.#sql.sweepIssued.run(Math.floor(now / 86_400_000) - 1)
    })()
    this.#totalBytes = this.#sum()
  }

  async totals(): Promise<{ readonly envelopes: number; readonly bytes: number }> {
    return { envelopes: (this.#sql.count.get() as { envelopes: number }).envelopes, bytes: this.#totalBytes }
  }

  #remove(mail: readonly Lying[]): void {
    this.#database.transaction(() => {
      for (const { cursor, tag, bytes } of mail) {
        this.#sql.remove.run(cursor)
        this.#sql.shrinkBox.run(bytes + MAIL_OVERHEAD_BYTES, tag)
        this.#totalBytes -= bytes + MAIL_OVERHEAD_BYTES
      }
    })()
  }

  #sum(): number {
    return (this.#sql.total.get() as { bytes: number }).bytes
  }
}

interface Lying {
  readonly cursor: number
  readonly tag: string
  readonly bytes: number
}

function prepare(database: BetterSqlite3.Database) {
  const lying = 'SELECT cursor, tag, length(envelope) AS bytes FROM mail'
  return {
    box: database.prepare('SELECT allowance, count, bytes FROM boxes WHERE tag = ?'),
    known: database.prepare('SELECT 1 FROM mail WHERE tag = ? AND digest = ?'),
    spent: database.prepare('SELECT 1 FROM spent WHERE nonce = ?'),
    spend: database.prepare('INSERT INTO spent (nonce, until) VALUES (?, ?)'),
    put: database.prepare('INSERT INTO mail (tag, digest, envelope, expires_at) VALUES (?, ?, ?, ?)'),
    setBox: database.prepare(
      'INSERT INTO boxes VALUES (?, ?, ?, ?, ?) ON CONFLICT (tag) DO UPDATE SET allowance = excluded.allowance, count = excluded.count, bytes = excluded.bytes, until = max(until, excluded.until)',
    ),
    shrinkBox: database.prepare('UPDATE boxes SET count = count - 1, bytes = bytes - ? WHERE tag = ?'),
    // From the tags to their mail, never the other way: others may have left millions of envelopes since.
    fetch: database.prepare(`SELECT cursor, envelope FROM mail WHERE cursor IN (
      SELECT own.cursor FROM json_each(@tags) AS wanted CROSS JOIN mail AS own INDEXED BY mail_of_tag
      WHERE own.tag = wanted.value AND own.cursor > @after AND own.expires_at > @now ORDER BY own.cursor LIMIT @limit) ORDER BY cursor`),
    owned: database.prepare(`${lying} WHERE cursor IN (SELECT value FROM json_each(?)) AND tag IN (SELECT value FROM json_each(?))`),
    expired: database.prepare(`${lying} WHERE expires_at <= ?`),
    remove: database.prepare('DELETE FROM mail WHERE cursor = ?'),
    issued: database.prepare('SELECT tokens FROM issued WHERE peer = ? AND day = ?'),
    setIssued: database.prepare('INSERT OR REPLACE INTO issued (peer, day, tokens) VALUES (?, ?, ?)'),
    sweepBoxes: database.prepare('DELETE FROM boxes WHERE until <= ?'),
    sweepSpent: database.prepare('DELETE FROM spent WHERE until <= ?'),
    sweepIssued: database.prepare('DELETE FROM issued WHERE day < ?'),
    count: database.prepare('SELECT count(*) AS envelopes FROM mail'),
    total: database.prepare(`SELECT coalesce(sum(length(envelope) + ${MAIL_OVERHEAD_BYTES}), 0) AS bytes FROM mail`),
  }
}
