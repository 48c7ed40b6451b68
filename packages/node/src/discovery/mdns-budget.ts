/** How much of what comes over mDNS is looked at (LD6): no sender takes the share of others, and all together cost no more than this. */
import { MAX_MDNS_OF_ONE, MAX_MDNS_PER_SECOND, MDNS_TIME_MS, MDNS_TIME_OF_ONE_MS } from './constants.ts'

const WINDOW_MS = 1_000

interface Share {
  count: number
  /** Milliseconds. */
  spent: number
}

const nothing = (): Share => ({ count: 0, spent: 0 })

export class MdnsBudget {
  private window = 0
  private all = nothing()
  private readonly shares = new Map<string, Share>()

  /** Whether one more message of `sender` is looked at. @param now monotonic, milliseconds */
  admits(sender: string, now: number): boolean {
    this.turnTo(Math.floor(now / WINDOW_MS))
    const share = this.shares.get(sender) ?? nothing()
    if (share.count >= MAX_MDNS_OF_ONE || share.spent >= MDNS_TIME_OF_ONE_MS) return false
    if (this.all.count >= MAX_MDNS_PER_SECOND || this.all.spent >= MDNS_TIME_MS) return false
    this.shares.set(sender, share)
    share.count += 1
    this.all.count += 1
    return true
  }

  /** A message that was admitted has cost so much. */
  spend(sender: string, ms: number): void {
    const share = this.shares.get(sender)
    if (share !== undefined) share.spent += ms
    this.all.spent += ms
  }

  private turnTo(window: number): void {
    if (window === this.window) return
    this.window = window
    this.all = nothing()
    this.shares.clear()
  }
}
