/** Bundles made here: tried by routes while there are neighbours, carried in between, until the recipient has proven them. */
import type { BundleHeader, BundleKey } from '../bundle.ts'

/** After a flood has found nobody: the next one, and the longest wait between two, in milliseconds. A new neighbour makes it the first again. */
const RETRY = { first: 5_000, most: 120_000 } as const
/** Own bundles at once (ME20): the rest waits in the outbox. */
export const MAX_OWN = 4_096

export interface OwnBundle {
  readonly header: BundleHeader
  /** Encoded bundle until the archive holds it. */
  bytes: Uint8Array | undefined
  /** Whether a route is being looked for right now. */
  isUnderWay: boolean
  /** Whether carriers may take it. */
  isHeld: boolean
  /** Monotonic milliseconds. */
  dueAt: number
  wait: number
}

export class OwnBundles {
  private readonly byLock = new Map<string, OwnBundle>()
  private readonly byKey = new Map<BundleKey, OwnBundle>()

  get isFull(): boolean {
    return this.byLock.size >= MAX_OWN
  }

  add(header: BundleHeader, bytes: Uint8Array | undefined): OwnBundle {
    const own = { header, bytes, isUnderWay: false, isHeld: bytes === undefined, dueAt: 0, wait: RETRY.first }
    this.byLock.set(header.lock, own)
    this.byKey.set(header.key, own)
    return own
  }

  locked(lock: string): OwnBundle | undefined {
    return this.byLock.get(lock)
  }

  get(key: BundleKey): OwnBundle | undefined {
    return this.byKey.get(key)
  }

  remove({ lock, key }: BundleHeader): boolean {
    this.byKey.delete(key)
    return this.byLock.delete(lock)
  }

  /** Nobody was found: the next try is later. */
  rest(own: OwnBundle, now: number): void {
    own.isUnderWay = false
    own.dueAt = now + own.wait
    own.wait = Math.min(own.wait * 2, RETRY.most)
  }

  /** Somebody has come: waits begin anew, but none ends before the first would have. */
  hurry(now: number): void {
    for (const own of this.byLock.values()) {
      own.wait = RETRY.first
      own.dueAt = Math.min(own.dueAt, now + RETRY.first)
    }
  }

  due(now: number): OwnBundle[] {
    return [...this.byLock.values()].filter(({ isUnderWay, dueAt }) => !isUnderWay && dueAt <= now)
  }

  expired(now: number): OwnBundle[] {
    return [...this.byLock.values()].filter(({ header }) => header.expiresAt <= now)
  }
}
