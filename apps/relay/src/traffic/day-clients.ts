/** How many devices have been here on this day (UTC), by hashes under a key that is made for the day and kept nowhere. */
import { createHmac, randomBytes } from 'node:crypto'

const DAY_MS = 86_400_000
/** Devices that are told apart; beyond that the figure stands still. */
const MAX_CLIENTS = 65_536

export class DayClients {
  /** Milliseconds since 1970. */
  readonly #now: () => number
  readonly #seen = new Set<string>()
  #key = randomBytes(32)
  #day: number

  constructor(now: () => number) {
    this.#now = now
    this.#day = this.#today()
  }

  note(peer: string): void {
    this.#turn()
    if (this.#seen.size < MAX_CLIENTS) this.#seen.add(createHmac('sha256', this.#key).update(peer).digest('base64url').slice(0, 16))
  }

  count(): number {
    this.#turn()
    return this.#seen.size
  }

  #turn(): void {
    const today = this.#today()
    if (today === this.#day) return
    this.#day = today
    this.#key = randomBytes(32)
    this.#seen.clear()
  }

  #today(): number {
    return Math.floor(this.#now() / DAY_MS)
  }
}
