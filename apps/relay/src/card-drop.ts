/**
 * The card drop: sealed contact cards left under a key for those who were invited. The relay can read neither and
 * bounds what one depositor and all together may leave.
 */
import { decodeCardRequest, encodeCardReply, isSkeinError, MAX_CARD_BYTES, type Origin, type ShareBounds, Shares } from '@skein/core'
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
  answer(from: Depositor, frame: Uint8Array): Uint8Array
  /** Removes what expired before `past`. */
  sweep(past: number): void
  count(): number
}

/** Who leaves a card, or asks for one. */
export interface Depositor {
  readonly peer: string
  /** Where it comes from; cards are counted by it for as long as the relay runs, and it is written down nowhere. */
  readonly origin: Origin
  /** Whether it belongs to the relay: nobody else leaves cards. */
  readonly mayLeave: boolean
}

export interface CardDropOptions {
  /** Cards that were left from one address, and one network. */
  readonly bounds?: (() => Pick<ShareBounds, 'address' | 'network'>) | undefined
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

export class SqliteCardDrop implements CardDrop {
  readonly #now: () => number
  readonly #maxTotalBytes: number
  readonly #sql: ReturnType<typeof prepare>
  readonly #shares: Shares
  /** Cards that count for an origin, until they expire. */
  readonly #counted = new Map<string, { readonly origin: Origin; readonly expiresAt: number }>()
  #totalBytes: number

  constructor(database: BetterSqlite3.Database, options: CardDropOptions) {
    this.#now = options.now
    this.#maxTotalBytes = options.maxTotalBytes ?? MAX_TOTAL_BYTES
    this.#sql = prepare(database)
    this.#totalBytes = this.#sum()
    const most = Number.POSITIVE_INFINITY
    this.#shares = new Shares(() => ({ connection: most, total: most, ...(options.bounds?.() ?? { address: most, network: most }) }))
  }

  answer(from: Depositor, frame: Uint8Array): Uint8Array {
    return encodeCardReply(this.#reply(from, frame))
  }

  sweep(past: number): void {
    for (const [key, { expiresAt }] of this.#counted) if (expiresAt <= this.#now()) this.#uncount(key)
    this.#sql.sweep.run(past)
    this.#totalBytes = this.#sum()
  }

  count(): number {
    return Number((this.#sql.count.get(this.#now()) as { cards: number }).cards)
  }

  #reply(from: Depositor, frame: Uint8Array): CardReplyFrame {
    try {
      const request = decodeCardRequest(frame)
      return request.kind === 'get' ? this.#get(request.key) : { outcome: this.#put(from, request), value: NOTHING }
    } catch (error) {
      if (isSkeinError(error, 'FRAME_TOO_LARGE')) return { outcome: 'too-large', value: NOTHING }
      throw error
    }
  }

  #get(key: Uint8Array): CardReplyFrame {
    const row = this.#read(key)
    return row === undefined ? { outcome: 'none', value: NOTHING } : { outcome: 'ok', value: new Uint8Array(row.value) }
  }

  #put({ peer, origin, mayLeave }: Depositor, { key, value, expiresAt }: PutFrame): CardOutcome {
    const now = this.#now()
    if (expiresAt <= now || !mayLeave) return 'refused'
    const before = this.#read(key)
    // Who knows a key could otherwise overwrite the card of the one who invited them.
    if (before !== undefined && before.owner !== peer) return 'refused'
    if (before === undefined && this.#cardsOf(peer) >= MAX_CARDS_PER_PEER) return 'full'
    const grown = chargeOf(value) - (before === undefined ? 0 : chargeOf(before.value))
    if (grown > 0 && this.#totalBytes + grown > this.#maxTotalBytes) return 'full'
    const until = Math.min(expiresAt, now + MAX_CARD_STAY_MS)
    if (!this.#count(key, { origin, expiresAt: until })) return 'full'
    this.#write(key, { value, peer, until })
    this.#totalBytes += grown
    return 'ok'
  }

  /** @returns false where the origin has as many as it may */
  #count(key: Uint8Array, counted: { readonly origin: Origin; readonly expiresAt: number }): boolean {
    const name = Buffer.from(key).toString('hex')
    const before = this.#counted.get(name)
    if (before !== undefined) this.#uncount(name)
    const isFree = this.#shares.take(counted.origin, 1)
    if (isFree) this.#counted.set(name, counted)
    else if (before !== undefined) this.#count(key, before)
    return isFree
  }

  /** What could not be written does not count for its origin. */
  #write(key: Uint8Array, { value, peer, until }: { readonly value: Uint8Array; readonly peer: string; readonly until: number }): void {
    try {
      this.#sql.write.run(key, value, peer, until)
    } catch (error) {
      if (this.#read(key) === undefined) this.#uncount(Buffer.from(key).toString('hex'))
      throw error
    }
  }

  #uncount(name: string): void {
    const counted = this.#counted.get(name)
    if (counted !== undefined) this.#shares.give(counted.origin, 1)
    this.#counted.delete(name)
  }

  #sum(): number {
    return Number((this.#sql.total.get() as { bytes: number }).bytes)
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
