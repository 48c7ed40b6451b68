/** Who belongs to this relay: tokens and invites that admit, members, and peers allowed or denied by hand. In SQLite. */
import { createHash, randomBytes } from 'node:crypto'
import { type AdmissionOutcome, type AdmissionRequestFrame, SkeinError } from '@skein/core'
import type BetterSqlite3 from 'better-sqlite3'
import { type MemberRow, Members, type Newcomer } from './members.ts'

/** Bytes of a token: nobody guesses 120 bits. */
const TOKEN_BYTES = 15
/** Longest stay of a registered invite, ms: invites live 7 days, and clocks differ. */
const MAX_INVITE_STAY_MS = 8 * 24 * 3_600_000
/** Invites that one member may have registered. */
export const MAX_INVITES_PER_MEMBER = 64
/** Devices that one invite admits: as many accounts as the inviter takes (docs/LIMITS.md), with several devices each. */
export const MAX_ADMITTED_PER_INVITE = 256

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS relay_tokens (
    id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, label TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
    uses_left INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS invites (
    hash BLOB PRIMARY KEY, inviter TEXT NOT NULL, expires_at INTEGER NOT NULL, admitted INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS verdicts (peer TEXT PRIMARY KEY, verdict TEXT NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;
`

export type Verdict = 'allow' | 'deny'

export interface TokenRow {
  readonly id: string
  readonly label: string
  readonly created_at: number
  readonly expires_at: number | null
  readonly uses_left: number | null
}

export interface NewToken {
  readonly label: string
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | undefined
  readonly uses?: number | undefined
}

export class Membership {
  readonly #sql: ReturnType<typeof prepare>
  readonly #now: () => number
  /** Verdicts are asked for at each connection. */
  readonly #verdicts = new Map<string, Verdict>()
  readonly #members: Members

  constructor(database: BetterSqlite3.Database, now: () => number) {
    database.exec(SCHEMA)
    this.#sql = prepare(database)
    this.#now = now
    this.#members = new Members(database, now)
    for (const { peer, verdict } of this.verdicts()) this.#verdicts.set(peer, verdict)
  }

  verdictOn(peer: string): Verdict | undefined {
    return this.#verdicts.get(peer)
  }

  isMember(peer: string): boolean {
    return this.#members.has(peer)
  }

  /** @param mayAdmit whether anybody new is admitted now @returns what the device is told */
  answer(peer: string, request: AdmissionRequestFrame, mayAdmit: boolean): AdmissionOutcome {
    if (this.verdictOn(peer) === 'deny') return 'refused'
    if (request.kind === 'register') return this.#register(peer, request)
    if (this.isMember(peer)) {
      this.noteSeen(peer)
      return 'admitted'
    }
    if (!mayAdmit) return 'refused'
    return request.kind === 'token' ? this.#byToken(peer, request.token) : this.#byInvite(peer, request.proof)
  }

  /** @returns the token, which is kept nowhere */
  createToken({ label, expiresAt, uses }: NewToken): { id: string; token: string } {
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const id = randomBytes(4).toString('hex')
    this.#sql.addToken.run(id, sha256(token), label, this.#now(), expiresAt ?? null, uses ?? null)
    return { id, token }
  }

  tokens(): TokenRow[] {
    return this.#sql.tokens.all(this.#now()) as TokenRow[]
  }

  /** Whom the token has admitted stays a member. @returns whether there was such a token */
  revokeToken(id: string): boolean {
    return this.#sql.revokeToken.run(id).changes > 0
  }

  /** Whom a token has admitted, and whom they have brought, are members no more. @returns who they were */
  removeBroughtBy(id: string): string[] {
    return this.#members.removeBroughtBy(id)
  }

  members(): MemberRow[] {
    return this.#members.all()
  }

  /** Is here at present. */
  noteSeen(peer: string): void {
    this.#members.noteSeen(peer)
  }

  decide(peer: string, verdict: Verdict, note: string): void {
    this.#sql.decide.run(peer, verdict, note)
    this.#verdicts.set(peer, verdict)
    if (verdict === 'deny') this.#members.remove(peer)
  }

  /** @returns whether there was a verdict, or a membership */
  undecide(peer: string): boolean {
    const had = this.#verdicts.delete(peer)
    const isRemoved = this.#sql.undecide.run(peer).changes > 0
    return this.#members.remove(peer) || had || isRemoved
  }

  verdicts(): { readonly peer: string; readonly verdict: Verdict; readonly note: string }[] {
    return this.#sql.verdicts.all() as { peer: string; verdict: Verdict; note: string }[]
  }

  memberCount(): number {
    return this.#members.count
  }

  /** Removes what expired before `past`, and writes down who is here. */
  sweep(past: number): void {
    this.#sql.sweepInvites.run(past)
    this.#sql.sweepTokens.run(past)
    this.#members.sweep(past)
  }

  #register(peer: string, { hash, expiresAt }: Extract<AdmissionRequestFrame, { kind: 'register' }>): AdmissionOutcome {
    const now = this.#now()
    if (!this.#mayInvite(peer)) return 'refused'
    if (expiresAt <= now) return 'refused'
    const { count } = this.#sql.invitesOf.get(peer, now) as { count: number }
    if (count >= MAX_INVITES_PER_MEMBER && this.#sql.invite.get(hash, now) === undefined) return 'full'
    this.#sql.addInvite.run({ hash, peer, until: Math.min(expiresAt, now + MAX_INVITE_STAY_MS), now })
    return 'registered'
  }

  #byToken(peer: string, token: string): AdmissionOutcome {
    const row = this.#sql.token.get(sha256(token), this.#now()) as { id: string; uses_left: number | null } | undefined
    if (row === undefined || row.uses_left === 0) return 'refused'
    return this.#admit({ peer, by: { token: row.id }, spend: () => void this.#sql.useToken.run(row.id) })
  }

  #byInvite(peer: string, proof: Uint8Array): AdmissionOutcome {
    const hash = sha256(proof)
    const row = this.#sql.invite.get(hash, this.#now()) as { admitted: number; inviter: string } | undefined
    if (row === undefined || row.admitted >= MAX_ADMITTED_PER_INVITE || !this.#mayInvite(row.inviter)) return 'refused'
    return this.#admit({ peer, by: { inviter: row.inviter }, spend: () => void this.#sql.useInvite.run(hash) })
  }

  /** Also when the invite is used: who has been sent away brings nobody any more. */
  #mayInvite(peer: string): boolean {
    const verdict = this.verdictOn(peer)
    return verdict === undefined ? this.isMember(peer) : verdict === 'allow'
  }

  #admit(newcomer: Omit<Newcomer, 'isUnbounded'>): AdmissionOutcome {
    const isUnbounded = (each: string): boolean => this.verdictOn(each) === 'allow'
    return this.#members.add({ ...newcomer, isUnbounded }) ? 'admitted' : 'full'
  }
}

/** @throws SkeinError USAGE unless `text` looks like a peer id */
export function requirePeerId(text: string): string {
  if (/^[1-9A-HJ-NP-Za-km-z]{46,60}$/.test(text)) return text
  throw new SkeinError('USAGE', `«${text}» is no peer id; \`skein status\` shows a device's, beginning with 12D3KooW.`)
}

const sha256 = (value: string | Uint8Array): Buffer => createHash('sha256').update(value).digest()

function prepare(database: BetterSqlite3.Database) {
  const sql = (text: string) => database.prepare(text)
  return {
    addToken: sql('INSERT INTO relay_tokens VALUES (?, ?, ?, ?, ?, ?)'),
    token: sql('SELECT id, uses_left FROM relay_tokens WHERE hash = ? AND (expires_at IS NULL OR expires_at > ?)'),
    tokens: sql(
      'SELECT id, label, created_at, expires_at, uses_left FROM relay_tokens WHERE expires_at IS NULL OR expires_at > ? ORDER BY created_at',
    ),
    useToken: sql('UPDATE relay_tokens SET uses_left = uses_left - 1 WHERE id = ? AND uses_left IS NOT NULL'),
    revokeToken: sql('DELETE FROM relay_tokens WHERE id = ?'),
    sweepTokens: sql('DELETE FROM relay_tokens WHERE expires_at IS NOT NULL AND expires_at <= ?'),
    invite: sql('SELECT admitted, inviter FROM invites WHERE hash = ? AND expires_at > ?'),
    invitesOf: sql('SELECT count(*) AS count FROM invites WHERE inviter = ? AND expires_at > ?'),
    // In place of one that has expired and is not removed yet.
    addInvite: sql(`INSERT INTO invites VALUES (@hash, @peer, @until, 0) ON CONFLICT (hash) DO UPDATE
      SET inviter = excluded.inviter, expires_at = excluded.expires_at, admitted = 0 WHERE expires_at <= @now`),
    useInvite: sql('UPDATE invites SET admitted = admitted + 1 WHERE hash = ?'),
    sweepInvites: sql('DELETE FROM invites WHERE expires_at <= ?'),
    decide: sql('INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)'),
    undecide: sql('DELETE FROM verdicts WHERE peer = ?'),
    verdicts: sql('SELECT peer, verdict, note FROM verdicts ORDER BY peer'),
  }
}
