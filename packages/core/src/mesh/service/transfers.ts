/** Copies that change hands: one at a time on each link, counted as gone only when the other side has made it durable. */
import { isSkeinError } from '../../errors/index.ts'
import type { Clock, Primitives } from '../../ports/index.ts'
import type { TransferFields, TransferOutcome } from '../../wire/mesh-bundle.ts'
import { bundleHeader, type BundleHeader, isChunk, type BundleKey, type HeldBundle, type MeshAddress } from '../bundle.ts'
import type { Choice, MeshNode } from '../mesh-node.ts'
import type { ArchivedStore } from './archived-store.ts'
import type { BundleArchive } from './bundle-archive.ts'
import { hasRoomForChunk } from './chunk-room.ts'
import type { NeighbourSession } from './neighbour-session.ts'
import type { Opener } from './opener.ts'

/** Share of the room that one neighbour's bundles may take (ME20). */
export const NEIGHBOUR_SHARE = 0.25

/** A neighbour that has refused a bundle so often is not sent it again on this link: refusing costs it nothing, sending does. */
const MAX_REFUSALS = 3

/** Who hands something over. */
type Source = Pick<NeighbourSession, 'id' | 'peer'>
/** Files, all together, are one neighbour. */
const BY_HAND: Source = { id: '', peer: 'by hand' }

export interface TransferDeps {
  readonly clock: Clock
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly archive: BundleArchive
  readonly addresses: ReadonlySet<MeshAddress>
  readonly store: ArchivedStore
  readonly node: MeshNode
  readonly opener: Opener
  /** A neighbour has made a copy durable. */
  onTaken(bundle: HeldBundle): void
  onOffence(peer: string, code: string): void
  /** Runs work whose failure concerns one bundle only. */
  quietly(work: Promise<unknown>): Promise<void>
}

export class Transfers {
  private readonly deps: TransferDeps
  private readonly incoming = new Set<BundleKey>()
  private readonly inTransit = new Set<BundleKey>()

  constructor(deps: TransferDeps) {
    this.deps = deps
  }

  /** The next bundle for a neighbour, unless one is on its way. */
  offerNext(session: NeighbourSession): void {
    const { node, clock, quietly } = this.deps
    if (session.transfer !== undefined) return
    const choice = this.next(session)
    if (choice === undefined || this.inTransit.has(choice.bundle.key)) return
    session.transfer = { choice, since: clock.monotonic() }
    this.inTransit.add(choice.bundle.key)
    node.began(choice)
    void quietly(this.hand(session, choice.bundle))
  }

  answered(session: NeighbourSession, key: BundleKey, outcome: TransferOutcome): void {
    const choice = session.transfer?.choice
    if (choice === undefined || choice.bundle.key !== key) return
    const { node, archive, onTaken, quietly } = this.deps
    this.end(session)
    if (outcome === 'taken') {
      node.finished(choice)
      void quietly(archive.setCopies(key, choice.bundle.copies))
      onTaken(choice.bundle)
    } else {
      node.refused(choice, outcome)
      session.refusals.set(key, (session.refusals.get(key) ?? 0) + 1)
    }
    this.offerNext(session)
  }

  /** What was on its way to the neighbour stays here. */
  end(session: NeighbourSession): void {
    const choice = session.transfer?.choice
    session.transfer = undefined
    if (choice === undefined) return
    this.inTransit.delete(choice.bundle.key)
    this.deps.node.broken(choice)
  }

  /** A neighbour hands a bundle over. */
  async take(session: NeighbourSession, transfer: TransferFields): Promise<void> {
    const header = this.headerOf(session, transfer.bundle)
    if (header === undefined) return
    session.say({ kind: 'answer', key: header.key, outcome: await this.takeFrom(session, header, transfer) })
  }

  /** What came by hand, in a file. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE, DISK_FULL */
  takeFile(transfer: TransferFields): Promise<TransferOutcome> {
    return this.takeFrom(BY_HAND, bundleHeader(transfer.bundle, this.deps.primitives), transfer)
  }

  private async takeFrom(from: Source, header: BundleHeader, transfer: TransferFields): Promise<TransferOutcome> {
    const outcome = this.judge(from, header)
    if (outcome !== 'taken') return outcome
    this.incoming.add(header.key)
    await this.keep(from, header, transfer).finally(() => this.incoming.delete(header.key))
    return outcome
  }

  /** What the policy names next, but for what this neighbour has refused too often. */
  private next(session: NeighbourSession): Choice | undefined {
    const { node, clock } = this.deps
    for (;;) {
      const choice = node.deliverable([session.id], clock.now()) ?? node.carriable([session.id], clock.now())
      if (choice === undefined || (session.refusals.get(choice.bundle.key) ?? 0) < MAX_REFUSALS) return choice
      node.refused(choice, 'no-room')
    }
  }

  private async hand(session: NeighbourSession, { key }: HeldBundle): Promise<void> {
    const bundle = await this.deps.archive.bytes(key)
    const choice = session.transfer?.choice
    if (choice?.bundle.key !== key) return
    if (bundle === null) {
      this.end(session)
      this.deps.store.remove(key)
    } else session.say({ kind: 'transfer', transfer: { bundle, ...this.deps.node.handover(choice) } })
  }

  private headerOf(session: NeighbourSession, bundle: Uint8Array): BundleHeader | undefined {
    try {
      return bundleHeader(bundle, this.deps.primitives)
    } catch (error) {
      this.deps.onOffence(session.peer, isSkeinError(error) ? error.code : 'BAD_FRAME')
      return undefined
    }
  }

  private judge({ peer }: Source, header: BundleHeader): TransferOutcome {
    const { opener, node, addresses, store, clock } = this.deps
    if (this.incoming.has(header.key)) return 'known'
    const cureKey = opener.known(header.lock)
    if (cureKey !== undefined) {
      // Somebody carries what has arrived by a route: now all shall know.
      node.cure(cureKey, header.expiresAt, clock.now())
      return 'cured'
    }
    if (isChunk(header) && !addresses.has(header.address) && !hasRoomForChunk(store, { from: peer, bytes: header.bytes })) return 'no-room'
    const share = store.capacityBytes * NEIGHBOUR_SHARE
    if (!addresses.has(header.address) && store.bytesFrom(peer) + header.bytes > share) return 'no-room'
    const { kind } = node.admit(header, clock.now())
    return kind === 'welcome' ? 'taken' : kind
  }

  private async keep({ id, peer }: Source, header: BundleHeader, transfer: TransferFields): Promise<void> {
    const { store, archive, node, opener, clock, addresses } = this.deps
    const { hopLimit, copies, bundle } = transfer
    const hops = Math.max(1, transfer.hops)
    store.expect(header.key, peer)
    if (!addresses.has(header.address))
      await archive.put({ ...header, receivedAt: clock.now(), hops, hopLimit, copies, from: peer }, bundle)
    const arrived = node.received({ header, hops, hopLimit, copies }, id, clock.now())
    store.forget(header.key)
    if (!arrived) return
    const cureKey = await opener.open({ lock: header.lock, key: header.key, bundle, source: peer })
    if (cureKey !== undefined) node.cure(cureKey, header.expiresAt, clock.now())
    else if (isChunk(header)) node.disown(header.key)
  }
}
