/** Credit-based flow control (FI12, FI13): who receives says how much more may be sent. */
import { SkeinError } from '../errors/index.ts'
import { MAX_WINDOW_BYTES } from './limits.ts'

/** The sender's side of one request. */
export class Credit {
  private granted: number
  private spent = 0
  private closed = false
  private wake: () => void = () => undefined

  /** @param window bytes that may be sent at once; cut to MAX_WINDOW_BYTES */
  constructor(window: number) {
    this.granted = Math.min(window, MAX_WINDOW_BYTES)
  }

  /** @param total bytes since the request @throws SkeinError BAD_FRAME when it is more than a window beyond what was sent */
  grant(total: number): void {
    if (total > this.spent + MAX_WINDOW_BYTES) throw new SkeinError('BAD_FRAME', 'There is credit for more than a window.')
    this.granted = Math.max(this.granted, total)
    this.wake()
  }

  /** Waits until something may be sent. @returns how much of `wanted`; 0 once it is closed */
  async take(wanted: number): Promise<number> {
    while (this.spent >= this.granted && !this.closed) await new Promise<void>((resolve) => (this.wake = resolve))
    if (this.closed) return 0
    const taken = Math.min(wanted, this.granted - this.spent)
    this.spent += taken
    return taken
  }

  close(): void {
    this.closed = true
    this.wake()
  }
}

/** A share of the window that is worth a frame of its own. */
const GRANT_SHARE = 8

/** The receiver's side: tells of room when there is enough of it. */
export class CreditGiver {
  private window: number
  private readonly tell: (total: number) => void
  private used = 0
  private told: number

  constructor(window: number, tell: (total: number) => void) {
    this.window = window
    this.told = window
    this.tell = tell
  }

  /** Bytes since the request that may have been sent. */
  get granted(): number {
    return this.told
  }

  /** More may be on its way from now on. @param window bytes; no fewer than before */
  widen(window: number): void {
    this.window = Math.max(window, this.window)
    this.release(0)
  }

  /** So many sealed bytes have been dealt with. */
  release(bytes: number): void {
    this.used += bytes
    const total = this.used + this.window
    if (total - this.told < this.window / GRANT_SHARE) return
    this.told = total
    this.tell(total)
  }
}

/**
 * Bytes on their way that keep a path busy: twice what it carries in the time of an answer.
 * @param rate bytes a second that were reached @param most bytes that the transport bears
 */
export function windowFor({ rttMs, rate, least, most }: { rttMs: number | null; rate: number; least: number; most: number }): number {
  const busy = (2 * rate * (rttMs ?? 0)) / 1_000
  return Math.min(most, Math.max(Math.min(least, most), Math.ceil(busy)))
}
