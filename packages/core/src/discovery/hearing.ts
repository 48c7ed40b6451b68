/** How much is listened to (LD6): whoever shouts is not heard more often than others, and a crowd costs no more than a few. */

/** Milliseconds; one period of announcing. */
const WINDOW_MS = 5_000
/** Of one address in a window: a beacon and an mDNS answer on some interfaces, and some for newcomers. */
export const MAX_HEARD_OF_ONE = 32
/** Of all together in a window. */
export const MAX_HEARD_OF_ALL = 512
/** Addresses counted at once; in a larger crowd the rest waits for the next window. */
const MAX_ADDRESSES = 256

export class Hearing {
  private window = 0
  private readonly counts = new Map<string, number>()
  private total = 0

  /** Whether one more announcement of `address` is listened to. @param now monotonic, milliseconds */
  admits(address: string, now: number): boolean {
    const window = Math.floor(now / WINDOW_MS)
    if (window !== this.window) {
      this.window = window
      this.counts.clear()
      this.total = 0
    }
    const count = this.counts.get(address) ?? 0
    if (count >= MAX_HEARD_OF_ONE || this.total >= MAX_HEARD_OF_ALL) return false
    if (count === 0 && this.counts.size >= MAX_ADDRESSES) return false
    this.counts.set(address, count + 1)
    this.total += 1
    return true
  }
}
