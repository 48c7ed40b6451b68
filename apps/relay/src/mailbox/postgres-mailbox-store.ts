/** The mailbox of a fleet: relays that share one PostgreSQL database, so that any of them has the mail. */
import { MAIL_OVERHEAD_BYTES } from '@skein/core'
import type { BoxState, BoxVerdict, MailboxStore, MailDeposit, MailQuery, StoredMail } from '@skein/core'
import { Pool, type PoolClient } from 'pg'

/** Connections of one relay; deposits share transactions, so few are enough. */
const MAX_CONNECTIONS = 8
/** Bytes of a reply beside each envelope. */
const ITEM_BYTES = 16
/** So long the sum of all mail is not computed anew, ms: it is a quota, not a balance. */
const TOTAL_AGE_MS = 5_000
const MS_PER_DAY = 86_400_000

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS mail (
    cursor BIGSERIAL PRIMARY KEY, tag TEXT NOT NULL, digest BYTEA NOT NULL, envelope BYTEA NOT NULL, expires_at BIGINT NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS mail_once ON mail (tag, digest);
  CREATE INDEX IF NOT EXISTS mail_by_tag ON mail (tag, cursor);
  CREATE INDEX IF NOT EXISTS mail_by_expiry ON mail (expires_at);
  CREATE TABLE IF NOT EXISTS boxes (
    tag TEXT PRIMARY KEY, allowance INTEGER NOT NULL, count INTEGER NOT NULL, bytes BIGINT NOT NULL, until BIGINT NOT NULL);
  CREATE TABLE IF NOT EXISTS spent (nonce BYTEA PRIMARY KEY, until BIGINT NOT NULL);
  CREATE TABLE IF NOT EXISTS issued (peer TEXT NOT NULL, day INTEGER NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (peer, day));
`
/** Any number: relays that start together make the tables one after the other. */
const SCHEMA_LOCK = 5_715_319
/**
 * Held by each transaction that takes cursors until it is committed: else one with a smaller cursor may become visible behind one with
 * a larger, and whoever has fetched that one never sees it.
 */
const DEPOSIT_LOCK = 5_715_320

export class PostgresMailboxStore implements MailboxStore {
  readonly #pool: Pool
  #total = { at: Number.NEGATIVE_INFINITY, bytes: 0 }

  private constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Makes its tables where they are missing. @param url `postgres://…` @throws Error of the driver */
  static async open(url: string): Promise<PostgresMailboxStore> {
    const pool = new Pool({ connectionString: url, max: MAX_CONNECTIONS })
    // A server that goes away ends idle connections; the next question opens new ones.
    pool.on('error', () => undefined)
    const store = new PostgresMailboxStore(pool)
    await store.#transaction(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK])
      await client.query(SCHEMA)
    })
    return store
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  async deposit(
    batch: readonly MailDeposit[],
    judge: (deposit: MailDeposit, state: BoxState) => BoxVerdict,
  ): Promise<readonly BoxVerdict[]> {
    const before = await this.#totalBytes()
    return this.#transaction(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [DEPOSIT_LOCK])
      // In one order everywhere, so that two relays never wait for each other. New boxes come under the lock above, and only with mail.
      const tags = [...new Set(batch.map(({ tag }) => tag))].sort()
      await client.query('SELECT 1 FROM boxes WHERE tag = ANY($1) ORDER BY tag FOR UPDATE', [tags])
      const verdicts: BoxVerdict[] = []
      let totalBytes = before
      for (const deposit of batch) {
        const verdict = await apply(client, deposit, { judge, totalBytes })
        if (verdict.kind === 'store') totalBytes += deposit.envelope.length + MAIL_OVERHEAD_BYTES
        verdicts.push(verdict)
      }
      this.#total = { ...this.#total, bytes: totalBytes }
      return verdicts
    })
  }

  async fetch({ tags, after, limit, maxBytes, now }: MailQuery): Promise<readonly StoredMail[]> {
    const { rows } = await this.#pool.query<{ cursor: string; envelope: Uint8Array }>(
      // Cut to size by the server: what does not fit is not loaded.
      `SELECT cursor, envelope FROM (
        SELECT cursor, envelope, row_number() OVER found AS place, sum(length(envelope) + ${ITEM_BYTES}) OVER found AS bytes
        FROM mail WHERE tag = ANY($1) AND cursor > $2 AND expires_at > $3 WINDOW found AS (ORDER BY cursor) ORDER BY cursor LIMIT $4
      ) AS fitting WHERE place = 1 OR bytes <= $5 ORDER BY cursor`,
      [tags, after, now, limit, maxBytes],
    )
    return rows.map(({ cursor, envelope }) => ({ cursor: Number(cursor), envelope: new Uint8Array(envelope) }))
  }

  async forget(tags: readonly string[], cursors: readonly number[]): Promise<void> {
    await this.#remove('tag = ANY($1) AND cursor = ANY($2::bigint[])', [tags, cursors])
  }

  async grant(peer: string, day: number, { count, most }: { readonly count: number; readonly most: number }): Promise<number> {
    return this.#transaction(async (client) => {
      await client.query('INSERT INTO issued VALUES ($1, $2, 0) ON CONFLICT (peer, day) DO NOTHING', [peer, day])
      const { rows } = await client.query<{ tokens: number }>('SELECT tokens FROM issued WHERE peer = $1 AND day = $2 FOR UPDATE', [
        peer,
        day,
      ])
      const had = rows[0]?.tokens ?? 0
      const granted = Math.max(0, Math.min(count, most - had))
      await client.query('UPDATE issued SET tokens = $3 WHERE peer = $1 AND day = $2', [peer, day, had + granted])
      return granted
    })
  }

  async sweep(now: number): Promise<void> {
    await this.#remove('expires_at <= $1', [now])
    await this.#pool.query('DELETE FROM boxes WHERE until <= $1 AND count = 0', [now])
    await this.#pool.query('DELETE FROM spent WHERE until <= $1', [now])
    await this.#pool.query('DELETE FROM issued WHERE day < $1', [Math.floor(now / MS_PER_DAY) - 1])
  }

  async totals(): Promise<{ readonly envelopes: number; readonly bytes: number }> {
    const { rows } = await this.#pool.query<{ envelopes: string; bytes: string }>(
      'SELECT coalesce(sum(count), 0) AS envelopes, coalesce(sum(bytes), 0) AS bytes FROM boxes',
    )
    return { envelopes: Number(rows[0]?.envelopes ?? 0), bytes: Number(rows[0]?.bytes ?? 0) }
  }

  /** @param which a condition in SQL, of ours alone */
  async #remove(which: string, values: readonly unknown[]): Promise<void> {
    await this.#pool.query(
      `WITH gone AS (DELETE FROM mail WHERE ${which} RETURNING tag, length(envelope) + ${MAIL_OVERHEAD_BYTES} AS bytes),
        sums AS (SELECT tag, count(*) AS count, sum(bytes) AS bytes FROM gone GROUP BY tag)
      UPDATE boxes SET count = boxes.count - sums.count, bytes = boxes.bytes - sums.bytes FROM sums WHERE boxes.tag = sums.tag`,
      [...values],
    )
  }

  async #totalBytes(): Promise<number> {
    if (performance.now() - this.#total.at > TOTAL_AGE_MS) this.#total = { at: performance.now(), bytes: (await this.totals()).bytes }
    return this.#total.bytes
  }

  async #transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    try {
      await client.query('BEGIN')
      const result = await work(client)
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined)
      throw error
    } finally {
      client.release()
    }
  }
}

interface Judging {
  readonly judge: (deposit: MailDeposit, state: BoxState) => BoxVerdict
  readonly totalBytes: number
}

/** @returns whether it was not spent before, here or at another relay */
async function spend(client: PoolClient, { nonce, until }: NonNullable<MailDeposit['token']>): Promise<boolean> {
  const { rowCount } = await client.query('INSERT INTO spent VALUES ($1, $2) ON CONFLICT DO NOTHING', [nonce, until])
  return rowCount === 1
}

async function apply(client: PoolClient, deposit: MailDeposit, { judge, totalBytes }: Judging): Promise<BoxVerdict> {
  const { tag, digest, envelope, expiresAt, token } = deposit
  const { rows } = await client.query<{ allowance: number; count: number; bytes: string; known: boolean; spent: boolean }>(
    `SELECT coalesce(allowance, 0) AS allowance, coalesce(count, 0) AS count, coalesce(bytes, 0) AS bytes,
      EXISTS (SELECT 1 FROM mail WHERE tag = $1 AND digest = $2) AS known, EXISTS (SELECT 1 FROM spent WHERE nonce = $3) AS spent
      FROM (SELECT 1) AS one LEFT JOIN boxes ON tag = $1`,
    [tag, digest, token?.nonce ?? null],
  )
  const [box] = rows
  if (box === undefined) throw new Error('a question for one row has none')
  const bytes = Number(box.bytes)
  const verdict = judge(deposit, { ...box, bytes, totalBytes })
  if (verdict.kind !== 'store') return verdict
  if (token !== undefined && verdict.allowance > box.allowance && !(await spend(client, token)))
    return { kind: 'refuse', why: 'token-spent' }
  await client.query('INSERT INTO mail (tag, digest, envelope, expires_at) VALUES ($1, $2, $3, $4)', [tag, digest, envelope, expiresAt])
  await client.query(
    `INSERT INTO boxes VALUES ($1, $2, 1, $3, $4) ON CONFLICT (tag) DO UPDATE
      SET allowance = $2, count = boxes.count + 1, bytes = boxes.bytes + $3, until = greatest(boxes.until, $4)`,
    [tag, verdict.allowance, envelope.length + MAIL_OVERHEAD_BYTES, expiresAt],
  )
  return verdict
}
