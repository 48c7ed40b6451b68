/** All transfers of this device: kept in the store, told as events, with how fast they go. */
import { SkeinError } from '../errors/index.ts'
import type { AccountId, MessageId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Direction, Store, StoredMessage, StoredTransfer, StoreWrite } from '../ports/store.ts'
import { decodeManifest, encodeManifest, type FileManifest } from '../wire/manifest.ts'
import { ANEW_AT_START_MS, ANEW_WITHIN_MS, KEEP_EVERY_MS, MAX_ANEW, PROGRESS_EVERY_MS, SHOW_ENDED_MS } from './limits.ts'
import { Rate } from './rate.ts'
import { safeName } from './safe-names.ts'

/** A transfer as interfaces show it. */
export interface Transfer extends Omit<StoredTransfer, 'manifest' | 'place' | 'told' | 'askers'> {
  /** What it is called when it is saved (FI17), unless that is taken. */
  readonly name: string
  readonly mediaType: string
  /** Bytes of the content; of a stream that grows, those that are known of. */
  readonly total: number
  /** A stream that has not ended: nobody knows how much comes (FI70). */
  readonly growing: boolean
  /** Files and folders in it; 0 for a single file. */
  readonly entries: number
  /** Bytes a second; 0 unless it runs. */
  readonly rate: number
  /** Time left, ms; null when it cannot be told. */
  readonly leftMs: number | null
  /** Its place in the queue while it waits for its turn (FI22), from 1 and at most MAX_PLACES_TOLD; else null. */
  readonly queue: number | null
  /** It has changed, and another transfer takes its place by itself (FI37). */
  readonly offeredAnew: boolean
  /** The transfer whose place it takes; null for most. */
  readonly replaces: MessageId | null
}

/** A transfer at work. */
export interface Live {
  stored: StoredTransfer
  manifest: FileManifest
  readonly rate: Rate
  /** SHA-256 of the content as it was last sent, since the start of the program. */
  sha256?: Uint8Array
  /** As Transfer.queue. */
  queue: number | null
  /** Those that wait for a change. */
  readonly watching: Set<() => void>
  /** It moves, and how it does is told. */
  isFollowed: boolean
  keptAt: number
}

export interface TransferBookDeps {
  readonly store: Store
  readonly clock: Clock
  onTransfer(transfer: Transfer): void
}

const FINAL: readonly StoredTransfer['state'][] = ['done', 'failed', 'cancelled']

export function isFinal({ state }: Pick<StoredTransfer, 'state'>): boolean {
  return FINAL.includes(state)
}

export class TransferBook {
  private readonly deps: TransferBookDeps
  private readonly live = new Map<string, Live>()
  private over: AbortSignal | undefined

  constructor(deps: TransferBookDeps) {
    this.deps = deps
  }

  /** Nothing runs after a start. @param over nothing is told any more when it aborts */
  async load(over: AbortSignal): Promise<void> {
    this.over = over
    for (const stored of await this.deps.store.transfers()) this.take(stored)
    // What the program had no time to refuse.
    for (const live of this.all())
      if (live.stored.direction === 'in' && this.find(live.stored.id, 'out') !== undefined) await this.remove(live)
  }

  /** Those that ended long ago are shown no longer (FI40). @param isKept whether one is all the same @returns those that are left */
  async prune(isKept: (stored: StoredTransfer) => boolean): Promise<readonly Live[]> {
    const before = this.deps.clock.now() - SHOW_ENDED_MS
    for (const live of this.all())
      if (isFinal(live.stored) && live.stored.updatedAt < before && !isKept(live.stored)) await this.remove(live)
    return this.all()
  }

  /** An offer of ours is in the store. */
  learn(id: MessageId): Promise<Live | undefined> {
    return this.meet(id, 'out')
  }

  /** What we have offered; whoever accepts at once asks for it before it has been learnt. */
  async offered(id: MessageId): Promise<Live | undefined> {
    return this.find(id, 'out') ?? this.learn(id)
  }

  /**
   * A contact's offer is in the store; whoever offers chooses its id.
   * @throws SkeinError BAD_FRAME for the id of an offer of ours, or of somebody else's: of two with one id none could be told from the other
   */
  async hear({ id, contact }: Pick<StoredMessage, 'id' | 'contact'>): Promise<Live | undefined> {
    const [ours, known] = [this.find(id, 'out'), this.find(id, 'in')]
    if (ours !== undefined && known === undefined) await this.deps.store.commit([{ kind: 'transfer.remove', id, direction: 'in' }])
    if (ours !== undefined || (known !== undefined && known.stored.contact !== contact))
      throw new SkeinError('BAD_FRAME', 'An offer has the id of another.')
    return this.meet(id, 'in')
  }

  private async meet(id: MessageId, direction: Direction): Promise<Live | undefined> {
    const stored = await this.deps.store.transfer(id, direction)
    if (stored === null) return undefined
    const live = this.find(id, direction) ?? this.take(stored)
    this.tell(live)
    return live
  }

  private take(stored: StoredTransfer): Live {
    const state = stored.state === 'running' ? 'waiting' : stored.state
    const manifest = decodeManifest(stored.manifest)
    const live: Live = {
      stored: { ...stored, state },
      manifest,
      rate: new Rate(),
      queue: null,
      watching: new Set(),
      isFollowed: false,
      keptAt: 0,
    }
    this.live.set(nameOf(stored.id, stored.direction), live)
    return live
  }

  find(id: MessageId, direction: Direction): Live | undefined {
    return this.live.get(nameOf(id, direction))
  }

  /** @throws SkeinError TRANSFER_UNKNOWN */
  require(id: MessageId): Live {
    const live = this.find(id, 'in') ?? this.find(id, 'out')
    if (live === undefined) throw new SkeinError('TRANSFER_UNKNOWN', 'There is no transfer with this id.')
    return live
  }

  /** Newest first. */
  all(): readonly Live[] {
    return [...this.live.values()].sort((a, b) => b.stored.createdAt - a.stored.createdAt)
  }

  offersOf(contact: AccountId): number {
    return this.all().filter(({ stored }) => stored.contact === contact && stored.state === 'offered').length
  }

  /** Changes it, durably, and says so; also where a full disk cannot keep it: what is said is what is done. */
  async change(live: Live, change: Partial<StoredTransfer>): Promise<void> {
    const next = { ...live.stored, ...change, updatedAt: this.deps.clock.now() }
    live.stored = next.direction === 'in' && isFinal(next) ? { ...next, manifest: withoutKey(live.manifest) } : next
    for (const wake of live.watching) wake()
    if (!this.isThere(live)) return
    try {
      await this.deps.store.commit([this.write(live)])
    } finally {
      this.tell(live)
    }
  }

  /** As `change`; `work` is done whether or not that could be kept, for it may make the room that this takes. @throws as `change`, `work` */
  async changeAnd(live: Live, change: Partial<StoredTransfer>, work: () => Promise<void>): Promise<void> {
    const isKept = await this.change(live, change).then(
      () => true,
      () => false,
    )
    await work()
    if (!isKept) await this.change(live, {})
  }

  /** More of a stream is known of, or its end; that is told to nobody before it is kept. */
  async grow(live: Live, manifest: FileManifest): Promise<void> {
    const kept = { manifest: encodeManifest(manifest) }
    // Whatever else changes meanwhile is kept with the second.
    if (manifest.stream === 'ended' && this.isThere(live))
      await this.deps.store.commit([this.write({ stored: { ...live.stored, ...kept } })])
    live.manifest = manifest
    await this.change(live, kept)
  }

  /** Until it changes, or `signal` aborts. */
  changed({ watching }: Live, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        watching.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      watching.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** Moves on; told and kept now and then. */
  progress(live: Live, { bytes = live.stored.bytes, moved }: { readonly bytes?: number; readonly moved: number }): void {
    const now = this.deps.clock.monotonic()
    if (!this.isThere(live)) return
    live.rate.add(moved - live.stored.moved, now)
    // It says something again (FI22).
    const again = live.stored.reason === 'silent' && moved > live.stored.moved ? ({ state: 'running', reason: null } as const) : {}
    live.stored = { ...live.stored, ...again, bytes, moved }
    if (!live.isFollowed) void this.follow(live)
    if (now - live.keptAt < KEEP_EVERY_MS) return
    live.keptAt = now
    // What is lost of it by a crash is counted again by who continues.
    void this.deps.store.commit([this.write(live)]).catch(() => undefined)
  }

  /** Says how it stands while it moves, until it stands still. */
  private async follow(live: Live): Promise<void> {
    live.isFollowed = true
    for (let isNews = true; isNews; ) {
      const { stored } = live
      const { rate } = this.tell(live)
      if (!(await this.deps.clock.sleep(PROGRESS_EVERY_MS, this.over && { signal: this.over }))) return
      isNews = this.isThere(live) && !isFinal(live.stored) && (live.stored !== stored || rate > 0)
    }
    live.isFollowed = false
  }

  private isThere(live: Live): boolean {
    return this.find(live.stored.id, live.stored.direction) === live
  }

  /** @param queue as Transfer.queue */
  queue(live: Live, queue: number | null): void {
    if (live.queue === queue) return
    live.queue = queue
    if (this.isThere(live)) this.tell(live)
  }

  show(live: Live): Transfer {
    const { manifest: _manifest, place: _place, told: _told, askers: _askers, ...stored } = live.stored
    const { name, mediaType, size, folder, replaces, stream } = live.manifest
    const growing = stream === 'growing'
    const rate = stored.state === 'running' ? live.rate.at(this.deps.clock.monotonic()) : 0
    const leftMs = rate === 0 || growing ? null : Math.round(((size - stored.bytes) / rate) * 1_000)
    const offeredAnew = this.isOfferedAnew(live)
    return {
      ...stored,
      name: safeName(name),
      mediaType,
      total: size,
      growing,
      entries: folder?.entries ?? 0,
      rate,
      leftMs,
      // What its sender has paused waits for that.
      queue: stored.reason === 'paused-there' ? null : live.queue,
      offeredAnew,
      replaces: replaces?.transfer ?? null,
    }
  }

  /** Its sender knows if not, unless the program was off too long (FI37); who receives has heard nothing for a while. */
  private isOfferedAnew({ stored: { state, reason, direction, updatedAt }, manifest: { replaces, stream } }: Live): boolean {
    const mayBe = state === 'failed' && reason === 'FILE_CHANGED' && (replaces?.attempt ?? 0) < MAX_ANEW && stream !== 'growing'
    return mayBe && this.deps.clock.now() - updatedAt < (direction === 'out' ? ANEW_AT_START_MS : ANEW_WITHIN_MS)
  }

  /** Nothing is kept of it any more, whatever still becomes of it. */
  async remove(live: Live): Promise<void> {
    const { id, direction } = live.stored
    this.live.delete(nameOf(id, direction))
    await this.deps.store.commit([
      { kind: 'transfer.remove', id, direction },
      { kind: 'file-words.remove', contact: live.stored.contact, transfer: id },
    ])
  }

  /** Says how it stands. */
  tell(live: Live): Transfer {
    const shown = this.show(live)
    this.deps.onTransfer(shown)
    return shown
  }

  private write({ stored }: Pick<Live, 'stored'>): StoreWrite {
    return { kind: 'transfer.put', transfer: stored }
  }
}

/** What was received needs its key no longer (FI27); of what was sent, other devices of the recipient may still come. */
function withoutKey(manifest: FileManifest): Uint8Array {
  return encodeManifest({ ...manifest, key: new Uint8Array(manifest.key.length) })
}

function nameOf(id: MessageId, direction: Direction): string {
  return `${id} ${direction}`
}
