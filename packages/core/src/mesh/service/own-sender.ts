/** Sends what is made here: by a route while there are neighbours, by carriers in between, until the recipient has proven it. */
import { hex } from '@scure/base'
import type { Clock, Primitives } from '../../ports/index.ts'
import { type BundleFields, CHUNK_PRIORITY, encodeBundle } from '../../wire/mesh-bundle.ts'
import { bundleHeader, type BundleKey, isChunk, MAX_HOPS } from '../bundle.ts'
import { cureLock } from '../cure-book.ts'
import type { MeshNode } from '../mesh-node.ts'
import type { RouteNode } from '../routes/index.ts'
import type { ArchivedStore } from './archived-store.ts'
import type { ArchivedBundle, BundleArchive } from './bundle-archive.ts'
import { hasRoomForChunk } from './chunk-room.ts'
import type { OwnBundle, OwnBundles } from './own-bundles.ts'
import type { Part, Spreader } from './spreader.ts'

/** How long a bundle is carried, in milliseconds: tags change daily, and who was not met in three days is met by another copy. */
export const BUNDLE_LIFE_MS = 3 * 86_400_000
const MS_PER_HOUR = 3_600_000
/** Not yet: as late as an envelope may be. */
const NO_EARLIER = Number.MAX_SAFE_INTEGER

/** `proven`: the recipient has it. `held`: carriers may take it. `lost`: nobody has it any more, and it may be sent again. */
export type ChunkFate = 'proven' | 'held' | 'lost'

export interface ChunkToCarry {
  /** 16 bytes. */
  readonly deliveryTag: Uint8Array
  readonly sealed: Uint8Array
  /** 16 bytes that the recipient finds when it opens it. */
  readonly cureKey: Uint8Array
  /** At most MAX_SMALL_CHUNK_BYTES: goes like a message, and finds the way by itself. */
  readonly isSmall: boolean
}

export interface OwnSenderDeps {
  readonly clock: Clock
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly archive: BundleArchive
  readonly own: OwnBundles
  readonly store: ArchivedStore
  readonly node: MeshNode
  readonly routes: RouteNode
  readonly spreader: Spreader
  isNear(): boolean
  /** Neighbours that may carry. */
  carriers(): number
  /** Share of copies left to carriers that arrive, 0 to 1. */
  survival(): number
  /** Carriers may take what is behind this lock. */
  onHeld(lock: string): void
  /** Nothing is left here of a bundle that was made here. */
  onLost(own: OwnBundle): void
  /** Runs work whose failure concerns one bundle only. */
  quietly(work: Promise<unknown>): Promise<void>
}

export class OwnSender {
  private readonly deps: OwnSenderDeps

  constructor(deps: OwnSenderDeps) {
    this.deps = deps
  }

  /** @returns false when there is no room for it now */
  carry(fields: Omit<BundleFields, 'cureLock' | 'expiryHour'>, cureKey: Uint8Array, expiryHour = NO_EARLIER): boolean {
    const { own, clock, primitives } = this.deps
    const lock = cureLock(cureKey, primitives)
    if (own.locked(lock).length > 0) return true
    if (own.isFull) return false
    const latest = Math.ceil((clock.now() + BUNDLE_LIFE_MS) / MS_PER_HOUR)
    const bytes = encodeBundle({ ...fields, expiryHour: Math.min(expiryHour, latest), cureLock: hex.decode(lock) })
    void this.deps.quietly(this.advance(own.add(bundleHeader(bytes, primitives), bytes)))
    return true
  }

  /** @returns the lock of its bundle; nothing when there is neither a route nor room among what carriers may take */
  carryChunk({ deliveryTag, sealed, cureKey, isSmall }: ChunkToCarry, hasRoute: boolean): string | undefined {
    const { store, primitives } = this.deps
    if (!isSmall && !hasRoute && !hasRoomForChunk(store, { from: '', bytes: sealed.length })) return undefined
    const fields = { kind: 'chunk', deliveryTag, priority: isSmall ? 1 : CHUNK_PRIORITY, sealed } as const
    return this.carry(fields, cureKey) ? cureLock(cureKey, primitives) : undefined
  }

  /** Looks for a route, if there is anybody; else it is left to be carried. */
  async advance(own: OwnBundle): Promise<void> {
    own.isUnderWay = true
    try {
      await this.goOn(own)
    } catch (error) {
      this.deps.own.rest(own, this.deps.clock.monotonic())
      throw error
    }
  }

  private async goOn(own: OwnBundle): Promise<void> {
    const { archive, routes, clock, spreader } = this.deps
    const bytes = own.bytes ?? (await archive.bytes(own.header.key))
    if (bytes === null) return this.gone(own)
    if (!this.deps.isNear()) return this.stranded(own.header.key)
    const isWhole = own.piece === undefined && !own.isHeld
    const parts = isWhole ? await spreader.overWays(bytes, routes.ways(own.header.address, clock.monotonic())) : undefined
    for (const each of this.cut(own, parts)) this.dispatch(each, each.bytes ?? bytes)
  }

  /** Pieces take separate ways at first and no others; later they go like everything else (ME32). */
  private dispatch(own: OwnBundle, payload: Uint8Array): void {
    const { key, address, lock } = own.header
    own.isUnderWay = true
    const over = own.isHeld ? undefined : own.piece?.over
    const byRouteOnly = isChunk(own.header) || over !== undefined
    const isAgain = own.isHeld
    this.deps.routes.dispatch({ key, address, lock, payload, byRouteOnly, over, isAgain }, this.deps.clock.monotonic())
  }

  /** What there is now instead of the whole: its parts, or still itself; nothing once it is no longer wanted. */
  private cut(own: OwnBundle, parts: readonly Part[] | undefined): readonly OwnBundle[] {
    const all = this.deps.own
    if (all.get(own.header.key) === undefined) return []
    if (parts === undefined) return [own]
    all.remove(own.header)
    return parts.map((part) => all.add(part.header, part.bytes, part))
  }

  /** No way was found: carriers may have it. */
  stranded(key: BundleKey): void {
    const { own: all, clock, store, quietly } = this.deps
    const own = all.get(key)
    if (own === undefined) return
    const fits = own.isHeld || !isChunk(own.header) || hasRoomForChunk(store, { from: '', bytes: own.header.bytes })
    all.rest(own, clock.monotonic())
    if (!fits) this.deps.onLost(own)
    else if (!own.isHeld) void quietly(this.leave(own))
  }

  /** Leaves it to carriers, whole or in pieces. */
  private async leave(own: OwnBundle): Promise<void> {
    const { node, spreader, clock, carriers, survival } = this.deps
    const { header, bytes } = own
    if (bytes === undefined) return
    const copies = node.budget(header, clock.now())
    const wish = { carriers: carriers(), survival: survival(), copies }
    const parts = own.piece === undefined ? await spreader.overCarriers(bytes, wish) : undefined
    for (const each of this.cut(own, parts)) {
      if (each !== own) this.deps.own.rest(each, clock.monotonic())
      await this.hold(each)
    }
  }

  /** It had to make room, or the archive was deleted. It may be made anew, but not to push out the next one. */
  private gone(own: OwnBundle): void {
    const { store, own: all, clock } = this.deps
    const fits = store.usedBytes + store.charge(own.header.bytes) <= store.capacityBytes
    if (fits || isChunk(own.header)) this.deps.onLost(own)
    else all.rest(own, clock.monotonic())
  }

  /** What was made here and waits may be taken by carriers from now on; it is durable when this resolves. */
  async holdAll(): Promise<void> {
    for (const own of this.deps.own.all()) if (!own.isHeld && !isChunk(own.header)) await this.hold(own)
  }

  private async hold(own: OwnBundle): Promise<void> {
    const { archive, node, store, clock } = this.deps
    const { header, bytes } = own
    if (bytes === undefined) return
    const held: ArchivedBundle = { ...header, receivedAt: clock.now(), hops: 0, hopLimit: MAX_HOPS, copies: 1, from: '' }
    await archive.put(held, bytes)
    own.isHeld = true
    if (this.deps.own.get(header.key) === undefined) return this.deps.quietly(archive.remove(header.key))
    own.bytes = undefined
    // Others of the same file may have taken the room meanwhile.
    const fits = !isChunk(header) || hasRoomForChunk(store, { from: '', bytes: header.bytes })
    if (!fits) void this.deps.quietly(archive.remove(header.key))
    else node.originate(header, clock.now(), own.piece?.copies)
    const kept = store.get(header.key)
    if (kept === undefined) return this.deps.onLost(own)
    this.deps.onHeld(header.lock)
    await archive.setCopies(header.key, kept.copies)
  }
}
