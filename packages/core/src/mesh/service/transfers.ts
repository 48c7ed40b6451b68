/** Copies that change hands: one at a time on each link, counted as gone only when the other side has made it durable. */
import { isSkeinError, SkeinError } from '../../errors/index.ts'
import type { Clock, Primitives } from '../../ports/index.ts'
import {
  decodeBundle,
  MAX_PART_BYTES,
  type NeighbourFrameFields,
  type TransferAnswer,
  type TransferFields,
  type TransferOutcome,
} from '../../wire/mesh-bundle.ts'
import { bundleHeader, type BundleHeader, isChunk, type BundleKey, type HeldBundle, type MeshAddress, withinLimits } from '../bundle.ts'
import type { Choice, MeshNode } from '../mesh-node.ts'
import type { ArchivedStore } from './archived-store.ts'
import type { BundleArchive } from './bundle-archive.ts'
import type { ClockDoubt } from './clock-doubt.ts'
import { hasRoomForChunk } from './chunk-room.ts'
import type { NeighbourSession } from './neighbour-session.ts'
import type { Opener } from './opener.ts'
import { PartReceiver } from './part-receiver.ts'
import { RefusalsOfPeers } from './refusals.ts'
import { StoringTurns } from './storing-turns.ts'

/** A neighbour has so long to answer once it has been sent everything, and the link to take what is sent, in milliseconds (ME36); else it is closed. */
const ANSWER_WITHIN_MS = 10_000
const TAKEN_WITHIN_MS = 60_000

/** Where there was nothing for a neighbour, and nothing has changed, it is looked again after so long, in milliseconds: what is worth a copy changes with time. */
const LOOK_AGAIN_MS = 1_000

interface Answer {
  readonly key: string
  readonly outcome: TransferAnswer
  readonly offset?: number
}

/** What becomes of something that was brought; `unopened` is for this node, and may open another time. */
export type Taking = TransferOutcome | 'busy' | 'unopened'

/** Who hands something over. */
type Source = Pick<NeighbourSession, 'id' | 'peer'>
/** Files, all together: whoever brings one by hand may fill all that is free. */
const BY_HAND: Source = { id: '', peer: 'by hand' }

export interface TransferDeps {
  readonly clock: Clock
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly archive: BundleArchive
  readonly addresses: ReadonlySet<MeshAddress>
  readonly store: ArchivedStore
  readonly node: MeshNode
  readonly opener: Opener
  readonly clocks: ClockDoubt
  /** A neighbour has made a copy durable. */
  onTaken(bundle: HeldBundle): void
  onOffence(peer: string, code: string): void
  /** Runs work whose failure concerns one bundle only. */
  quietly(work: Promise<unknown>): Promise<void>
}

export class Transfers {
  /** Large bundles that come in. */
  readonly parts: PartReceiver
  private readonly deps: TransferDeps
  /** What is being written or opened, and who has brought it. */
  private readonly incoming = new Map<BundleKey, string>()
  private readonly inTransit = new Set<BundleKey>()
  private readonly turns: StoringTurns
  private readonly refusals = new RefusalsOfPeers()
  private ended = 0

  constructor(deps: TransferDeps) {
    this.deps = deps
    this.turns = new StoringTurns(deps.clock)
    this.parts = new PartReceiver({
      ...deps,
      judge: (session, header) => this.judge(session, header),
      refused: (session, answer) => this.blame(session, answer),
      whole: (session, header, transfer) => this.takeInTurn(session, header, transfer),
    })
  }

  /** It has said something: there may be a bundle for it now. Not looked for as often as it likes. */
  offerAfterWord(session: NeighbourSession): void {
    session.idle = undefined
    if (session.looks.takes(1, this.deps.clock.monotonic())) this.offerNext(session)
  }

  /** The next bundle for a neighbour, unless one is on its way, or there was none and nothing has changed since. */
  offerNext(session: NeighbourSession): void {
    const { node, clock, quietly } = this.deps
    if (session.transfer !== undefined || this.isIdle(session)) return
    const choice = this.next(session)
    session.idle = choice === undefined ? { changes: this.changes, at: clock.monotonic() } : undefined
    if (choice === undefined) return
    session.transfer = { choice, since: clock.monotonic(), isAsked: false, offered: undefined }
    this.inTransit.add(choice.bundle.key)
    node.began(choice)
    void quietly(this.hand(session, choice.bundle).catch((error: unknown) => this.failed(session, { choice, error })))
  }

  private isIdle({ idle }: NeighbourSession): boolean {
    return idle !== undefined && idle.changes === this.changes && this.deps.clock.monotonic() - idle.at < LOOK_AGAIN_MS
  }

  /** What may make a bundle one to hand over: a new one, and one that is on its way no longer. */
  private get changes(): number {
    return this.ended + this.deps.store.additions
  }

  /** What cannot be handed over keeps nothing else from the neighbour. */
  private failed(session: NeighbourSession, { choice, error }: { readonly choice: Choice; readonly error: unknown }): never {
    if (session.transfer?.choice === choice) {
      this.end(session)
      this.refused(session, choice, 'no-room')
    }
    throw error
  }

  private refused(session: NeighbourSession, choice: Choice, why: Exclude<TransferAnswer, 'taken' | 'welcome'>): void {
    this.deps.node.refused(choice, why === 'damaged' || why === 'busy' ? 'no-room' : why)
    if (why === 'busy') return
    if (why === 'late' && choice.bundle.hops === 0) this.deps.clocks.late(session.peer, choice.bundle, this.deps.clock.now())
    this.refusals.of(session.peer).add(choice.bundle.key, { isFinal: why !== 'no-room', now: this.deps.clock.monotonic() })
  }

  /** @param offset bytes that the other side has, if it wants the rest @throws SkeinError BAD_FRAME */
  answered(session: NeighbourSession, { key, outcome, offset = 0 }: Answer): void {
    const { choice, offered } = session.transfer ?? {}
    if (choice === undefined || choice.bundle.key !== key) return
    const { node, archive, onTaken, quietly } = this.deps
    if (outcome === 'welcome') {
      if (offered === undefined || offset >= offered.length) throw new SkeinError('BAD_FRAME', 'More is asked for than was offered.')
      void quietly(this.pour(session, offered, offset))
      return
    }
    this.end(session)
    if (outcome === 'taken') {
      node.finished(choice)
      void quietly(archive.setCopies(choice.bundle.key, choice.bundle.copies))
      onTaken(choice.bundle)
    } else this.refused(session, choice, outcome)
    this.offerNext(session)
  }

  /** A neighbour that takes and does not answer holds up what others want, the recipient itself among them. */
  hurry(session: NeighbourSession): void {
    const { transfer } = session
    if (transfer === undefined) return
    const waited = this.deps.clock.monotonic() - transfer.since
    if (waited <= (transfer.isAsked ? ANSWER_WITHIN_MS : TAKEN_WITHIN_MS)) return
    // One that is silent altogether is out of reach, and others look after that.
    if (transfer.isAsked && session.heardAt > transfer.since) session.timedOut()
    session.close()
  }

  /** What was on its way to the neighbour stays here. */
  end(session: NeighbourSession): void {
    const choice = session.transfer?.choice
    session.transfer = undefined
    if (choice === undefined) return
    this.ended += 1
    this.inTransit.delete(choice.bundle.key)
    this.deps.node.broken(choice)
  }

  /** A neighbour hands a bundle over. */
  async take(session: NeighbourSession, transfer: TransferFields): Promise<void> {
    const header = this.headerOf(session, transfer.bundle)
    if (header === undefined) return
    const outcome = await this.takeInTurn(session, header, transfer)
    this.blame(session, outcome)
    if (outcome === 'taken') session.useful()
    session.say({ kind: 'answer', key: header.key, outcome })
  }

  /** Nothing that could be of use at another time; where this clock is wrong all that comes seems too late. */
  private blame(session: NeighbourSession, answer: TransferAnswer): void {
    const isUseless = answer === 'known' || answer === 'cured' || (answer === 'late' && !this.deps.clocks.forgives(session.peer))
    if (isUseless) session.useless()
  }

  /** What came by hand, in a file. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE, DISK_FULL */
  takeFile(transfer: TransferFields): Promise<Taking> {
    return this.takeFrom(BY_HAND, bundleHeader(transfer.bundle, this.deps.primitives), transfer)
  }

  /** What is to be stored for others has its turn; an honest neighbour waits for the answer, and one that does not is told to come again. */
  private async takeInTurn(from: Source, header: BundleHeader, transfer: TransferFields): Promise<TransferAnswer> {
    const outcome = this.judge(from, header)
    if (outcome !== 'taken') return outcome
    if (!this.deps.addresses.has(header.address) && !(await this.turns.turn(from.peer))) return 'busy'
    const work = this.takeFrom(from, header, transfer)
    await this.deps.quietly(work)
    // Whoever has brought it keeps it until it opens; a full disk is no fault of theirs, and no reason to let them wait.
    return work.then((taken) => (taken === 'unopened' ? 'no-room' : taken)).catch(() => 'no-room')
  }

  private async takeFrom(from: Source, header: BundleHeader, transfer: TransferFields): Promise<Taking> {
    const outcome = this.judge(from, header)
    if (outcome !== 'taken') return outcome
    this.incoming.set(header.key, from.peer)
    return this.keep(from, header, transfer).finally(() => this.incoming.delete(header.key))
  }

  /** What the policy names next, but for what is on its way to another neighbour, and what this one has refused too often. */
  private next(session: NeighbourSession): Choice | undefined {
    const { node, clock } = this.deps
    for (;;) {
      const now = clock.now()
      const choice = node.deliverable([session.id], now, this.inTransit) ?? node.carriable([session.id], now, this.inTransit)
      if (choice === undefined || !this.refusals.of(session.peer).isTired(choice.bundle.key, clock.monotonic())) return choice
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
    } else if (bundle.length <= MAX_PART_BYTES)
      await this.ask(session, { kind: 'transfer', transfer: { bundle, ...this.deps.node.handover(choice) } })
    else await this.offer(session, choice, bundle)
  }

  /** From when the link has taken it an answer is waited for. */
  private async ask(session: NeighbourSession, frame: NeighbourFrameFields): Promise<void> {
    const { transfer } = session
    if (transfer === undefined || !(await session.send(frame))) return
    transfer.since = this.deps.clock.monotonic()
    transfer.isAsked = true
  }

  /** Large ones are offered first: the other side may have part of it, or know it. */
  private offer(session: NeighbourSession, choice: Choice, bundle: Uint8Array): Promise<void> {
    const { hops, hopLimit, copies } = this.deps.node.handover(choice)
    if (session.transfer !== undefined) session.transfer.offered = bundle
    const { sealed: _sealed, ...head } = decodeBundle(bundle)
    return this.ask(session, { kind: 'offer', offer: { id: choice.bundle.id, bytes: bundle.length, head, hops, hopLimit, copies } })
  }

  /** One part after the other, as the link takes them: other frames go in between. */
  private async pour(session: NeighbourSession, bundle: Uint8Array, from: number): Promise<void> {
    const transfer = session.transfer
    if (transfer === undefined) return
    transfer.offered = undefined
    transfer.isAsked = false
    const { key } = transfer.choice.bundle
    for (let offset = from; offset < bundle.length; offset += MAX_PART_BYTES) {
      if (session.transfer !== transfer) return
      transfer.since = this.deps.clock.monotonic()
      if (!(await session.send({ kind: 'part', part: { key, offset, part: bundle.subarray(offset, offset + MAX_PART_BYTES) } }))) return
    }
    transfer.since = this.deps.clock.monotonic()
    transfer.isAsked = true
  }

  private headerOf(session: NeighbourSession, bundle: Uint8Array): BundleHeader | undefined {
    try {
      return bundleHeader(bundle, this.deps.primitives)
    } catch (error) {
      this.deps.onOffence(session.peer, isSkeinError(error) ? error.code : 'BAD_FRAME')
      return undefined
    }
  }

  /** Whether a bundle is here, but may not get in: nobody else who carries it is to believe that it has. */
  isIncoming(key: BundleKey): boolean {
    return this.incoming.has(key)
  }

  private judge({ peer }: Source, header: BundleHeader): TransferOutcome | 'busy' {
    const { opener, node, addresses, clock } = this.deps
    if (peer !== BY_HAND.peer) this.deps.clocks.brought(peer, header, clock.now())
    if (this.incoming.has(header.key)) return this.incoming.get(header.key) === peer ? 'known' : 'busy'
    const cureKey = opener.known(header.lock)
    if (cureKey !== undefined) {
      // Somebody carries what has arrived by a route: now all shall know.
      node.cure(cureKey, header.expiresAt, clock.now())
      return 'cured'
    }
    if (!addresses.has(header.address) && !this.hasRoom(peer, header)) return 'no-room'
    const { kind } = node.admit(header, clock.now(), peer)
    return kind === 'welcome' ? 'taken' : kind
  }

  private hasRoom(peer: string, header: BundleHeader): boolean {
    const { store } = this.deps
    if (peer === BY_HAND.peer) return store.usedBytes + store.charge(header.bytes) <= store.capacityBytes
    if (isChunk(header) && !hasRoomForChunk(store, { from: peer, bytes: header.bytes })) return false
    return store.hasRoomFrom(peer, header.bytes)
  }

  private async keep({ id, peer }: Source, header: BundleHeader, transfer: TransferFields): Promise<Taking> {
    const { store, archive, node, opener, clock, addresses } = this.deps
    const { hops, hopLimit, copies, bundle } = withinLimits({ ...transfer, hops: Math.max(1, transfer.hops) })
    const isStored = !addresses.has(header.address)
    if (isStored) await archive.put({ ...header, receivedAt: clock.now(), hops, hopLimit, copies, from: peer }, bundle)
    store.expect(header.key, peer)
    const arrived = node.received({ header, hops, hopLimit, copies }, id, clock.now())
    store.forget(header.key)
    // Its proof may have come while it was being written.
    if (isStored && !store.has(header.key)) await archive.remove(header.key)
    if (!arrived) return 'taken'
    const { cureKey, mayComeAgain } = await opener.open({ lock: header.lock, key: header.key, bundle, source: peer })
    if (cureKey !== undefined) node.cure(cureKey, header.expiresAt, clock.now())
    else if (isChunk(header) || mayComeAgain) node.disown(header.key)
    return mayComeAgain && !isChunk(header) ? 'unopened' : 'taken'
  }
}
