/** What becomes of bundles made here, as their makers learn it. */
import type { Clock, Primitives } from '../../ports/index.ts'
import type { BundleKey } from '../bundle.ts'
import { cureLock } from '../cure-book.ts'
import type { MeshNode } from '../mesh-node.ts'
import type { MeshServiceDeps } from './mesh-service-deps.ts'
import type { OwnBundle, OwnBundles } from './own-bundles.ts'
import type { Survival } from './survival.ts'

export interface OwnFatesDeps extends Pick<MeshServiceDeps, 'onTaken' | 'onProven' | 'onExpired' | 'onChunk'> {
  readonly clock: Clock
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly own: OwnBundles
  readonly node: MeshNode
  readonly survival: Survival
}

export class OwnFates {
  private readonly deps: OwnFatesDeps

  constructor(deps: OwnFatesDeps) {
    this.deps = deps
  }

  /** A neighbour has made a copy durable. */
  taken(key: BundleKey): void {
    const { own, survival, onTaken } = this.deps
    const taken = own.get(key)
    if (taken === undefined) return
    survival.taken(taken.header.lock)
    if (own.taken(taken)) onTaken(taken.header.lock)
  }

  /** The recipient has opened what is behind this lock. */
  proven(lock: string): void {
    const { own, survival, onProven, onChunk } = this.deps
    const all = own.locked(lock)
    if (all.length === 0) return
    for (const { header } of all) own.remove(header)
    survival.settled(lock, true)
    onProven(lock)
    onChunk?.(lock, 'proven')
  }

  /** The recipient has it by another way: what is carried of it is dropped everywhere. */
  withdraw(cureKey: Uint8Array): void {
    const { own, node, clock, primitives } = this.deps
    for (const { isHeld, header } of own.locked(cureLock(cureKey, primitives))) {
      if (isHeld) node.cure(cureKey, header.expiresAt, clock.now())
      own.remove(header)
    }
  }

  expire(): void {
    const { own, clock, survival } = this.deps
    const expired = own.expired(clock.now())
    for (const { header } of expired) own.remove(header)
    for (const lock of new Set(expired.map(({ header }) => header.lock))) {
      survival.settled(lock, false)
      this.gone(lock)
    }
  }

  /** Nothing is left of it here: with the last one behind its lock its maker learns it. */
  lost({ header }: OwnBundle): void {
    const { own } = this.deps
    own.remove(header)
    if (own.locked(header.lock).length === 0) this.gone(header.lock)
  }

  private gone(lock: string): void {
    this.deps.onExpired(lock)
    this.deps.onChunk?.(lock, 'lost')
  }
}
