/** Devices that a token or an invite has admitted, and through whom. In SQLite. */
import type BetterSqlite3 from 'better-sqlite3'

/** Members remembered, and those that one of them has brought: those it has invited, those whom they have, and so on. */
const BOUNDS = { members: 100_000, brought: 4_096 }
/** How long it is known who has invited whom, ms: a flood is bounded and undone, and no book of who knows whom remains. */
const LINEAGE_MS = 30 * 24 * 3_600_000
/** When all places are taken, who has not been here for so long makes room, ms. */
const LONG_GONE_MS = 180 * 24 * 3_600_000
/** Of those, removed at one time. */
const REMOVED_AT_ONCE = 256
/** Who was here since the last look; the rest is noted the next time. */
const MAX_NOTED = 65_536

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS members (peer TEXT PRIMARY KEY, admitted_by TEXT NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS members_by_seen ON members (seen_at);
  CREATE INDEX IF NOT EXISTS members_by_admission ON members (admitted_by);
  CREATE TABLE IF NOT EXISTS lineage (peer TEXT PRIMARY KEY, inviter TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS lineage_by_inviter ON lineage (inviter);
  CREATE INDEX IF NOT EXISTS lineage_by_time ON lineage (since);
  CREATE TABLE IF NOT EXISTS descents (peer TEXT PRIMARY KEY, members INTEGER NOT NULL) WITHOUT ROWID;
`

export interface MemberRow {
  readonly peer: string
  /** `token ID`, or `invite`. */
  readonly admitted_by: string
  /** Whose invite it was, for 30 days. */
  readonly inviter: string | null
  /** Milliseconds since 1970, to some days. */
  readonly seen_at: number
}

export interface Newcomer {
  readonly peer: string
  /** Id of the token, or the member who has invited. */
  readonly by: { readonly token: string } | { readonly inviter: string }
  /** Whether this device may bring as many as it likes: the operator has decided on it. */
  readonly isUnbounded: (peer: string) => boolean
  /** Takes it off what has admitted it: in the same commit, or a power cut would leave it to be used again. */
  readonly spend?: (() => void) | undefined
}

export class Members {
  readonly #sql: ReturnType<typeof prepare>
  readonly #now: () => number
  readonly #atOnce: BetterSqlite3.Database['transaction']
  readonly #here = new Set<string>()
  readonly #bounds: typeof BOUNDS
  /** Counting them would read all. */
  #count: number
  /** What has surely passed, as the last sweep was told. */
  #past = 0

  constructor(database: BetterSqlite3.Database, now: () => number, bounds = BOUNDS) {
    this.#bounds = bounds
    database.exec(SCHEMA)
    this.#sql = prepare(database)
    this.#now = now
    this.#atOnce = database.transaction.bind(database)
    this.#count = (this.#sql.count.get() as { count: number }).count
  }

  get count(): number {
    return this.#count
  }

  has(peer: string): boolean {
    return this.#sql.has.get(peer) !== undefined
  }

  all(): MemberRow[] {
    return this.#sql.all.all() as MemberRow[]
  }

  /** One that is no member yet. Nobody who is here is forgotten for it. @returns whether there was room */
  add(newcomer: Newcomer): boolean {
    const before = this.#count
    try {
      return this.#atOnce(() => this.#add(newcomer))()
    } catch (error) {
      this.#count = before
      throw error
    }
  }

  /** @returns whether it was a member */
  remove(peer: string): boolean {
    return this.#atOnce(() => this.#remove(peer))()
  }

  /** Whom the token has admitted, whom they have invited, and so on, as far as it is still known. @returns who was removed */
  removeBroughtBy(token: string): string[] {
    return this.#atOnce(() => {
      const peers = (this.#sql.broughtBy.all(`token ${token}`) as { peer: string }[]).map(({ peer }) => peer)
      for (const peer of peers) this.#remove(peer)
      return peers
    })()
  }

  /** Is here at present; written down by `sweep`. */
  noteSeen(peer: string): void {
    if (this.#here.size < MAX_NOTED) this.#here.add(peer)
  }

  /** Writes down who is here, and forgets who invited whom when that was long before `past`. */
  sweep(past: number): void {
    this.#past = past
    const now = this.#now()
    this.#atOnce(() => {
      for (const peer of this.#here) this.#sql.seen.run(now, peer)
      for (const { peer } of this.#sql.oldLineage.all(past - LINEAGE_MS) as { peer: string }[]) this.#detach(peer)
    })()
    this.#here.clear()
  }

  #add({ peer, by, isUnbounded, spend }: Newcomer): boolean {
    if (this.#count >= this.#bounds.members) this.#forgetLongGone()
    if (this.#count >= this.#bounds.members) return false
    const above = 'token' in by ? [] : this.#upFrom(by.inviter)
    if (above.some(({ peer: each, members }) => members >= this.#bounds.brought && !isUnbounded(each))) return false
    spend?.()
    this.#sql.add.run(peer, 'token' in by ? `token ${by.token}` : 'invite', this.#now())
    this.#count += 1
    if ('inviter' in by) this.#sql.attach.run(peer, by.inviter, this.#now())
    for (const each of above) this.#sql.descend.run(each.peer, 1 + this.#below(peer))
    return true
  }

  #remove(peer: string): boolean {
    if (this.#sql.remove.run(peer).changes === 0) return false
    this.#count -= 1
    this.#detach(peer)
    return true
  }

  /** It and all below it are no longer anybody else's. */
  #detach(peer: string): void {
    for (const each of this.#upFrom(peer).slice(1)) this.#sql.descend.run(each.peer, -1 - this.#below(peer))
    this.#sql.detach.run(peer)
    this.#sql.childless.run()
  }

  #forgetLongGone(): void {
    const gone = this.#sql.longGone.all(this.#past - LONG_GONE_MS, REMOVED_AT_ONCE) as { peer: string }[]
    for (const { peer } of gone) this.#remove(peer)
  }

  #below(peer: string): number {
    return (this.#sql.below.get(peer) as { members: number } | undefined)?.members ?? 0
  }

  /** The device, who has invited it, who has invited that one, and so on. */
  #upFrom(peer: string): { readonly peer: string; readonly members: number }[] {
    const chain = this.#sql.upFrom.all(peer) as { peer: string }[]
    return chain.map((each) => ({ peer: each.peer, members: this.#below(each.peer) }))
  }
}

function prepare(database: BetterSqlite3.Database) {
  const sql = (text: string) => database.prepare(text)
  return {
    count: sql('SELECT count(*) AS count FROM members'),
    has: sql('SELECT 1 FROM members WHERE peer = ?'),
    all: sql('SELECT peer, admitted_by, inviter, seen_at FROM members LEFT JOIN lineage USING (peer) ORDER BY seen_at DESC'),
    add: sql('INSERT INTO members VALUES (?, ?, ?)'),
    seen: sql('UPDATE members SET seen_at = ? WHERE peer = ?'),
    remove: sql('DELETE FROM members WHERE peer = ?'),
    longGone: sql('SELECT peer FROM members WHERE seen_at < ? ORDER BY seen_at LIMIT ?'),
    below: sql('SELECT members FROM descents WHERE peer = ?'),
    descend: sql('INSERT INTO descents VALUES (?, ?) ON CONFLICT (peer) DO UPDATE SET members = members + excluded.members'),
    childless: sql('DELETE FROM descents WHERE members <= 0'),
    attach: sql('INSERT OR REPLACE INTO lineage VALUES (?, ?, ?)'),
    detach: sql('DELETE FROM lineage WHERE peer = ?'),
    oldLineage: sql('SELECT peer FROM lineage WHERE since <= ?'),
    upFrom: sql(`WITH RECURSIVE chain (peer) AS (VALUES (?) UNION SELECT inviter FROM lineage JOIN chain USING (peer))
      SELECT peer FROM chain`),
    broughtBy: sql(`WITH RECURSIVE brought (peer) AS (SELECT peer FROM members WHERE admitted_by = ? UNION
      SELECT lineage.peer FROM lineage JOIN brought ON inviter = brought.peer) SELECT peer FROM brought`),
  }
}
