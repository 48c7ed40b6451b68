/**
 * The card drop: sealed contact cards left under a key for those who were invited. The relay can read neither and
 * bounds what one depositor and all together may leave.
 */
import { decodeCardRequest, encodeCardReply, isSkeinError, MAX_CARD_BYTES } from '@skein/core'
import type { CardOutcome, CardReplyFrame, CardRequestFrame } from '@skein/core'
import type BetterSqlite3 from 'better-sqlite3'

/** Longest stay of a card, ms: invites live 7 days, and clocks differ. */
export const MAX_CARD_STAY_MS = 8 * 24 * 3_600_000
/** Cards of one depositing peer: more invites than anyone has open at once. */
export const MAX_CARDS_PER_PEER = 64
/** All cards together, bytes: small beside any disk. */
export const MAX_TOTAL_BYTES = 64 * 1_024 * 1_024
/** Charged per card for key, owner and index, bytes, so that many empty cards fill the quota too. */
const CARD_OVERHEAD_BYTES = 256
/** Largest request frame that is read, bytes; what is above the card limit is answered with `too-large`. */
export const MAX_CARD_REQUEST_BYTES = 2 * MAX_CARD_BYTES

export interface CardDrop {
  /** Answers one frame of `/skein/card/1`. @throws SkeinError BAD_FRAME */
  answer(peer: string, frame: Uint8Array): Uint8Array
  /** Removes what has expired. */
  sweep(): void
  count(): number
}

export interface CardDropOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly maxTotalBytes?: number
}

interface CardRow {
  readonly value: Uint8Array
  readonly owner: string
}
type PutFrame = Extract<CardRequestFrame, { kind: 'put' }>

const NOTHING = new Uint8Array()

export function createCardDrop(database: BetterSqlite3.Database, options: CardDropOptions): CardDrop {
  const drop = new SqliteCardDrop(database, options)
  drop.sweep()
  return drop
}

class SqliteCardDrop implements CardDrop {
  readonly #now: () => number
  readonly #maxTotalBytes: number
  readonly #sql: ReturnType<typeof prepare>
  #totalBytes = 0

  constructor(database: BetterSqlite3.Database, options: CardDropOptions) {
    this.#now = options.now
    this.#maxTotalBytes = options.maxTotalBytes ?? MAX_TOTAL_BYTES
    this.#sql = prepare(database)
  }

  answer(peer: string, frame: Uint8Array): Uint8Array {
    return encodeCardReply(this.#reply(peer, frame))
  }

  sweep(): void {
    this.#sql.sweep.run(this.#now())
    this.#totalBytes = Number((this.#sql.total.get() as { bytes: number }).bytes)
  }

  count(): number {
    return Number((this.#sql.count.get(this.#now()) as { cards: number }).cards)
  }

  #reply(peer: string, frame: Uint8Array): CardReplyFrame {
    try {
      const request = decodeCardRequest(frame)
      return request.kind === 'get' ? this.#get(request.key) : { outcome: this.#put(peer, request), value: NOTHING }
    } catch (error) {
      if (isSkeinError(error, 'FRAME_TOO_LARGE')) return { outcome: 'too-large', value: NOTHING }
      throw error
    }
  }

  #get(key: Uint8Array): CardReplyFrame {
    const row = this.#read(key)
    return row === undefined ? { outcome: 'none', value: NOTHING } : { outcome: 'ok', value: new Uint8Array(row.value) }
  }

  #put(peer: string, { key, value, expiresAt }: PutFrame): CardOutcome {
    const now = this.#now()
    if (expiresAt <= now) return 'refused'
    const before = this.#read(key)
    // Who knows a key could otherwise overwrite the card of the one who invited them.
    if (before !== undefined && before.owner !== peer) return 'refused'
    if (before === undefined && this.#cardsOf(peer) >= MAX_CARDS_PER_PEER) return 'full'
    const grown = chargeOf(value) - (before === undefined ? 0 : chargeOf(before.value))
    if (!this.#hasRoom(grown)) return 'full'
    this.#sql.write.run(key, value, peer, Math.min(expiresAt, now + MAX_CARD_STAY_MS))
    this.#totalBytes += grown
    return 'ok'
  }

  #hasRoom(grown: number): boolean {
    if (grown <= 0 || this.#totalBytes + grown <= this.#maxTotalBytes) return true
    this.sweep()
    return this.#totalBytes + grown <= this.#maxTotalBytes
  }

  #read(key: Uint8Array): CardRow | undefined {
    return this.#sql.read.get(key, this.#now()) as CardRow | undefined
  }

  #cardsOf(peer: string): number {
    return Number((this.#sql.ofOwner.get(peer, this.#now()) as { cards: number }).cards)
  }
}

function chargeOf(value: Uint8Array): number {
  return value.length + CARD_OVERHEAD_BYTES
}

function prepare(database: BetterSqlite3.Database) {
  return {
    read: database.prepare('SELECT value, owner FROM cards WHERE key = ? AND expires_at > ?'),
    write: database.prepare('INSERT OR REPLACE INTO cards (key, value, owner, expires_at) VALUES (?, ?, ?, ?)'),
    sweep: database.prepare('DELETE FROM cards WHERE expires_at <= ?'),
    count: database.prepare('SELECT count(*) AS cards FROM cards WHERE expires_at > ?'),
    ofOwner: database.prepare('SELECT count(*) AS cards FROM cards WHERE owner = ? AND expires_at > ?'),
    total: database.prepare(`SELECT coalesce(sum(length(value) + ${CARD_OVERHEAD_BYTES}), 0) AS bytes FROM cards`),
  }
}
