/** Bundles made here: tried by routes while there are neighbours, carried in between, until the recipient has proven them. */
import { type BundleHeader, type BundleKey, isChunk } from '../bundle.ts'
import type { Part } from './spreader.ts'

/** After a flood has found nobody: the next one, and the longest wait between two, in milliseconds. */
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
  /** Where it is one of several pieces: how many of them make the whole, and how it is to go first. */
  readonly piece: PieceFate | undefined
  /** Whether a neighbour has a copy. */
  isTaken: boolean
}

export type PieceFate = Pick<Part, 'needed' | 'over' | 'copies'>

export class OwnBundles {
  private readonly byLock = new Map<string, Set<OwnBundle>>()
  private readonly byKey = new Map<BundleKey, OwnBundle>()

  get isFull(): boolean {
    return this.byLock.size >= MAX_OWN
  }

  add(header: BundleHeader, bytes: Uint8Array | undefined, piece?: PieceFate): OwnBundle {
    const own = { header, bytes, isUnderWay: false, isHeld: bytes === undefined, dueAt: 0, wait: RETRY.first, piece, isTaken: false }
    this.byLock.set(header.lock, (this.byLock.get(header.lock) ?? new Set()).add(own))
    this.byKey.set(header.key, own)
    return own
  }

  /** One bundle in most cases; several pieces of one. */
  locked(lock: string): readonly OwnBundle[] {
    return [...(this.byLock.get(lock) ?? [])]
  }

  /** A neighbour has a copy. @returns whether neighbours now hold enough to make the whole */
  taken(own: OwnBundle): boolean {
    own.isTaken = true
    const all = this.locked(own.header.lock)
    // After a restart it is not known how many are enough.
    const needed = own.header.isPiece === true ? (own.piece?.needed ?? all.length) : 1
    return all.filter(({ isTaken }) => isTaken).length >= needed
  }

  get(key: BundleKey): OwnBundle | undefined {
    return this.byKey.get(key)
  }

  all(): readonly OwnBundle[] {
    return [...this.byKey.values()]
  }

  remove({ lock, key }: BundleHeader): void {
    const own = this.byKey.get(key)
    const all = this.byLock.get(lock)
    if (own === undefined || all === undefined) return
    this.byKey.delete(key)
    all.delete(own)
    if (all.size === 0) this.byLock.delete(lock)
  }

  /** Nobody was found: the next try is later. */
  rest(own: OwnBundle, now: number): void {
    own.isUnderWay = false
    own.dueAt = now + own.wait
    own.wait = Math.min(own.wait * 2, RETRY.most)
  }

  /** Somebody has come: what is not named to him by itself (ME20) waits anew, but nothing for less than the first time. */
  hurry(now: number, carried: { has(key: BundleKey): boolean }): void {
    for (const own of this.byKey.values()) {
      if (carried.has(own.header.key) && !isChunk(own.header) && own.header.isPiece !== true) continue
      own.wait = RETRY.first
      own.dueAt = Math.min(own.dueAt, now + RETRY.first)
    }
  }

  due(now: number): OwnBundle[] {
    return [...this.byKey.values()].filter(({ isUnderWay, dueAt }) => !isUnderWay && dueAt <= now)
  }

  expired(now: number): OwnBundle[] {
    return [...this.byKey.values()].filter(({ header }) => header.expiresAt <= now)
  }
}
