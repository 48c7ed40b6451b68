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
  isNear(): boolean
  /** What has become of the chunk behind this lock, beside its proof. */
  onChunk(lock: string, fate: ChunkFate): void
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
    if (own.locked(lock) !== undefined) return true
    if (own.isFull) return false
    const latest = Math.ceil((clock.now() + BUNDLE_LIFE_MS) / MS_PER_HOUR)
    const bytes = encodeBundle({ ...fields, expiryHour: Math.min(expiryHour, latest), cureLock: hex.decode(lock) })
    void this.advance(own.add(bundleHeader(bytes, primitives), bytes))
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
    const { archive, routes, clock } = this.deps
    own.isUnderWay = true
    const bytes = own.bytes ?? (await archive.bytes(own.header.key))
    if (bytes === null) return this.drop(own)
    if (!this.deps.isNear()) return this.stranded(own.header.key)
    const { key, address, lock } = own.header
    routes.dispatch({ key, address, lock, payload: bytes, byRouteOnly: isChunk(own.header) }, clock.monotonic())
  }

  /** No way was found: carriers may have it. */
  stranded(key: BundleKey): void {
    const { own: all, clock, store, quietly } = this.deps
    const own = all.get(key)
    if (own === undefined) return
    const fits = own.isHeld || !isChunk(own.header) || hasRoomForChunk(store, { from: '', bytes: own.header.bytes })
    all.rest(own, clock.monotonic())
    if (!fits) this.drop(own)
    else if (!own.isHeld) void quietly(this.hold(own))
  }

  private drop({ header }: OwnBundle): void {
    this.deps.own.remove(header)
    this.deps.onChunk(header.lock, 'lost')
  }

  private async hold(own: OwnBundle): Promise<void> {
    const { archive, node, store, clock } = this.deps
    const { header, bytes } = own
    if (bytes === undefined) return
    own.isHeld = true
    const held: ArchivedBundle = { ...header, receivedAt: clock.now(), hops: 0, hopLimit: MAX_HOPS, copies: 1, from: '' }
    await archive.put(held, bytes)
    if (this.deps.own.get(header.key) === undefined) return this.deps.quietly(archive.remove(header.key))
    own.bytes = undefined
    // Others of the same file may have taken the room meanwhile.
    const fits = !isChunk(header) || hasRoomForChunk(store, { from: '', bytes: header.bytes })
    if (!fits) void this.deps.quietly(archive.remove(header.key))
    else node.originate(header, clock.now())
    const kept = store.get(header.key)
    if (kept === undefined) return this.drop(own)
    this.deps.onChunk(header.lock, 'held')
    await archive.setCopies(header.key, kept.copies)
  }
}
