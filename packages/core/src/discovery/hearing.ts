/** How much is listened to (LD6): whoever shouts is not heard more often than others, and a crowd costs no more than a few. */

/** Milliseconds; one period of announcing. */
const WINDOW_MS = 5_000
/** Of one address in a window: a beacon and an mDNS answer on some interfaces, and some for newcomers. */
export const MAX_HEARD_OF_ONE = 32
/** Of all together in a window. */
export const MAX_HEARD_OF_ALL = 512
/** Addresses counted at once; in a larger crowd the rest waits for the next window. */
const MAX_ADDRESSES = 256
/** Addresses of contacts, the ones recognised last: for them there is as much again, which no crowd of made-up addresses takes away. */
const MAX_FAMILIAR = 64

export class Hearing {
  private window = 0
  private strangers = new Share()
  private familiar = new Share()
  private readonly contacts = new Set<string>()

  /** A contact has shown itself at this address by what nobody else can show there. */
  recognise(address: string): void {
    this.contacts.delete(address)
    const [oldest] = this.contacts
    if (this.contacts.size >= MAX_FAMILIAR && oldest !== undefined) this.contacts.delete(oldest)
    this.contacts.add(address)
  }

  /** Whether one more announcement of `address` is listened to. @param now monotonic, milliseconds */
  admits(address: string, now: number): boolean {
    const window = Math.floor(now / WINDOW_MS)
    if (window !== this.window) {
      this.window = window
      this.strangers = new Share()
      this.familiar = new Share()
    }
    return (this.contacts.has(address) ? this.familiar : this.strangers).take(address)
  }
}

/** What is listened to in one window. */
class Share {
  private readonly counts = new Map<string, number>()
  private total = 0

  take(address: string): boolean {
    const count = this.counts.get(address) ?? 0
    if (count >= MAX_HEARD_OF_ONE || this.total >= MAX_HEARD_OF_ALL) return false
    if (count === 0 && this.counts.size >= MAX_ADDRESSES) return false
    this.counts.set(address, count + 1)
    this.total += 1
    return true
  }
}
