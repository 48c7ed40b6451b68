/** Large bundles as they come in, part by part: what is here when a link breaks stays here, and the whole is hashed before anything believes it. */
import { isSkeinError, SkeinError } from '../../errors/index.ts'
import type { Clock, Primitives } from '../../ports/index.ts'
import {
  MAX_PART_BYTES,
  type OfferFields,
  type PartFields,
  type TransferAnswer,
  type TransferFields,
  type TransferOutcome,
} from '../../wire/mesh-bundle.ts'
import { type BundleHeader, bundleHeader, type BundleId, headerOf } from '../bundle.ts'
import type { MeshNode } from '../mesh-node.ts'
import type { LinkId } from '../neighbour.ts'
import { NamedRates } from '../rate-limit.ts'
import { type Begun, BegunBundles } from './begun-bundles.ts'
import type { NeighbourSession } from './neighbour-session.ts'

export interface PartReceiverDeps {
  readonly clock: Clock
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly node: MeshNode
  judge(session: NeighbourSession, header: BundleHeader): TransferOutcome | 'busy'
  /** A bundle is whole and what it was said to be. */
  whole(session: NeighbourSession, header: BundleHeader, transfer: TransferFields): Promise<TransferAnswer>
  onOffence(peer: string, code: string): void
  /** It has brought what is not taken. */
  refused(session: NeighbourSession, answer: TransferAnswer): void
  /** Runs work whose failure concerns one bundle only. */
  quietly(work: Promise<unknown>): Promise<void>
}

interface Incoming {
  readonly session: NeighbourSession
  readonly begun: Begun
  /** Bytes that were here when it was offered. */
  readonly before: number
  /** Monotonic milliseconds of the last part's worth of bytes, and how many there were by then. */
  at: number
  length: number
  readonly counts: Pick<TransferFields, 'hops' | 'hopLimit' | 'copies'>
}

/** As many bytes as a part has come within so long, in milliseconds (ME36): a slow radio needs one second for it. */
const PART_WITHIN_MS = 8_000
/** Whoever was given up has nothing large taken for half a minute (ME36): others come first. */
const GIVEN_UP_RATE = { burst: 1, perSecond: 1 / 30 } as const

export class PartReceiver {
  readonly begun: BegunBundles
  private readonly deps: PartReceiverDeps
  private readonly incoming = new Map<LinkId, Incoming>()
  private readonly givenUp = new NamedRates(GIVEN_UP_RATE)

  constructor(deps: PartReceiverDeps) {
    this.deps = deps
    this.begun = new BegunBundles((key) => deps.node.forgetPartial(key))
  }

  /** A neighbour offers a bundle. @throws SkeinError BAD_FRAME when it has not given the one before */
  offered(session: NeighbourSession, offer: OfferFields): void {
    if (this.incoming.has(session.id)) throw new SkeinError('BAD_FRAME', 'Another bundle is offered before the one before has come.')
    const header = headerOf(offer.head, { id: offer.id as BundleId, bytes: offer.bytes }, this.deps.primitives)
    const answer = this.answerTo(session, header)
    if (answer !== 'welcome') {
      this.deps.refused(session, answer)
      session.say({ kind: 'answer', key: header.key, outcome: answer })
      return
    }
    const begun = this.begun.resume(header, session.peer, this.mono)
    const { hops, hopLimit, copies } = offer
    const { length } = begun
    const at = this.mono
    this.incoming.set(session.id, { session, begun, before: length, at, length, counts: { hops, hopLimit, copies } })
    session.say({ kind: 'answer', key: header.key, outcome: 'welcome', offset: begun.length })
  }

  /** @throws SkeinError BAD_FRAME when it is not the next part of what was offered */
  part(session: NeighbourSession, { key, offset, part }: PartFields): void {
    const incoming = this.incoming.get(session.id)
    // What was on its way when the link was told that it is not wanted.
    if (incoming === undefined || incoming.begun.header.key !== key) return
    const { begun } = incoming
    if (offset !== begun.length || offset + part.length > begun.whole.length)
      throw new SkeinError('BAD_FRAME', 'Part of a bundle is not the next one.')
    begun.whole.set(part, offset)
    begun.length += part.length
    if (begun.length - incoming.length >= MAX_PART_BYTES) Object.assign(incoming, { at: this.mono, length: begun.length })
    if (begun.length < begun.whole.length) return
    this.incoming.delete(session.id)
    void this.deps.quietly(this.finish(incoming).then((outcome) => session.say({ kind: 'answer', key, outcome })))
  }

  /** Whoever offers and does not give keeps nobody else from giving (ME36). */
  hurry(): void {
    const since = this.mono - PART_WITHIN_MS
    for (const [link, { session, begun, at }] of [...this.incoming]) {
      if (at >= since) continue
      this.end(link)
      session.say({ kind: 'answer', key: begun.header.key, outcome: 'no-room' })
      // One that is silent altogether is out of reach, and others look after that.
      if (session.heardAt <= at) continue
      this.givenUp.of(session.peer, this.mono).takes(1, this.mono)
      session.timedOut()
    }
  }

  /** The link is gone, or what was offered does not come: what is here is kept, and neighbours learn of it. */
  end(link: LinkId): void {
    const incoming = this.incoming.get(link)
    this.incoming.delete(link)
    if (incoming === undefined) return
    const { begun, before, session } = incoming
    this.begun.keep(begun, session.peer, this.mono)
    if (begun.length > before) this.deps.node.partial(begun.header, begun.length - before)
  }

  expire(): void {
    const { clock } = this.deps
    this.begun.expire({ now: clock.now(), mono: clock.monotonic() })
  }

  private get mono(): number {
    return this.deps.clock.monotonic()
  }

  private answerTo(session: NeighbourSession, header: BundleHeader): TransferAnswer {
    const outcome = this.deps.judge(session, header)
    if (outcome !== 'taken') return outcome
    const isGivenUp = this.givenUp.of(session.peer, this.mono).wait(1, this.mono) > 0
    return isGivenUp || [...this.incoming.values()].some(({ begun }) => begun.header.id === header.id) ? 'busy' : 'welcome'
  }

  private async finish({ session, begun, counts }: Incoming): Promise<TransferAnswer> {
    const { header, whole } = begun
    const { node, onOffence } = this.deps
    node.forgetPartial(header.key)
    if (!this.isSound(header, whole)) {
      if (this.begun.damaged(begun)) onOffence(session.peer, 'BAD_FRAME')
      return 'damaged'
    }
    this.begun.forget(header.id)
    return this.deps.whole(session, header, { bundle: whole, ...counts })
  }

  private isSound(claimed: BundleHeader, whole: Uint8Array): boolean {
    try {
      const actual = bundleHeader(whole, this.deps.primitives)
      return (
        claimed.isPiece === actual.isPiece && Object.entries(actual).every(([name, value]) => claimed[name as keyof BundleHeader] === value)
      )
    } catch (error) {
      if (isSkeinError(error)) return false
      throw error
    }
  }
}
