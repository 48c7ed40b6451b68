/** What a mailbox spends on those who use it (MB14): by stream, by connection, by address, by network and in all. */
import type { Clock } from '../ports/clock.ts'
import type { Origin, ShareBounds } from './shares.ts'

/** Tags that one stream may watch: a year of contacts for a month of days. */
export const MAX_WATCHED = 32_768
/** Requests of one stream that are answered at once; the next is read when one is done. */
export const MAX_AT_ONCE = 256
/** Bytes of requests under way on one stream: four full frames. */
export const MAX_STREAM_BYTES = 262_144
/** In which a reply has to be taken, milliseconds: who asks and does not read holds what others could have. */
export const TAKEN_WITHIN_MS = 20_000

export interface MailboxBounds {
  /** Open streams. */
  readonly streams: ShareBounds
  /** Tags that are watched; some 100 bytes each. */
  readonly tags: ShareBounds
  /** Bytes of requests and of mail on its way out. */
  readonly bytes: ShareBounds
}

/** For a relay of some thousand members, hundreds of them behind one carrier's address: some 250 MB when all of it is taken. */
export const MAILBOX_BOUNDS: MailboxBounds = {
  streams: { connection: 16, address: 1_024, network: 4_096, total: 16_384 },
  tags: { connection: 65_536, address: 131_072, network: 524_288, total: 1_048_576 },
  bytes: { connection: 1_048_576, address: 8_388_608, network: 33_554_432, total: 134_217_728 },
}

/** Work of one address at once after a pause, and each second after that. One unit is a signature, some 0.15 ms. */
const WORK_BURST = 16_384
const WORK_PER_SECOND = 1_000
/** Tags that are looked up in the time of one signature. */
export const TAGS_PER_UNIT = 32
/** Checking a token takes as long as so many signatures. */
export const UNITS_PER_TOKEN = 4
/** Addresses remembered; the oldest go. */
const MAX_ADDRESSES = 65_536

/** Makes an address wait that has the relay check signatures and look up tags all day. */
export class WorkPace {
  /** When all that was asked for would have been done at the rate, monotonic ms; the longest unchanged first. */
  private readonly paidUntil = new Map<string, number>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Resolves when the work may be done; `false` when it had to wait. */
  async charge({ address, connection }: Origin, units: number): Promise<boolean> {
    const [key, now] = [address ?? connection, this.clock.monotonic()]
    const paid =
      Math.max(this.paidUntil.get(key) ?? Number.NEGATIVE_INFINITY, now - (WORK_BURST / WORK_PER_SECOND) * 1_000) +
      (units / WORK_PER_SECOND) * 1_000
    this.paidUntil.delete(key)
    this.paidUntil.set(key, paid)
    this.forget(now)
    if (paid <= now) return true
    await this.clock.sleep(paid - now)
    return false
  }

  private forget(now: number): void {
    for (const [key, until] of this.paidUntil) {
      const isRested = until <= now - (WORK_BURST / WORK_PER_SECOND) * 1_000
      if (!isRested && this.paidUntil.size <= MAX_ADDRESSES) return
      this.paidUntil.delete(key)
    }
  }
}
