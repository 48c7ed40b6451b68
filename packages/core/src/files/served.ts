/** Whoever fetches from us: channels on which devices of contacts ask, and what is sent on them. */
import type { ContactBook } from '../contacts/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { StoredContact } from '../ports/store.ts'
import type { Channel, Swarm } from '../ports/swarm.ts'
import { Askers } from './askers.ts'
import { BulkClaims } from './bulk-claims.ts'
import { EarlyWords } from './early-words.ts'
import { FILE_PROTOCOL, linkOn } from './file-link.ts'
import type { BulkPort, FileLink, FilePlatform } from './file-ports.ts'
import { MAX_SERVING } from './limits.ts'
import { servingOwn } from './own-sources.ts'
import type { Pace } from './pace.ts'
import { offeredTo, type Outcome, serveLink, type ServingDeps } from './serving.ts'
import { isFinal, type Live, type TransferBook } from './transfer-book.ts'

export interface ServedDeps extends Pick<ServingDeps, 'withSource' | 'onBroken'> {
  readonly swarm: Swarm
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
  readonly primitives: Primitives
  readonly random: Random
  readonly book: ContactBook
  readonly bulk: BulkPort | undefined
  readonly platform: FilePlatform
  readonly transfers: TransferBook
  readonly pace: Pace
  onOutcome(live: Live, outcome: Outcome): Promise<void>
}

export class Served {
  private readonly deps: ServedDeps
  private readonly claims: BulkClaims
  private readonly early = new EarlyWords()
  private readonly askers: Askers
  /** Channels on which others ask. */
  private readonly links = new Set<FileLink>()
  /** Those on which something is sent at present. */
  private readonly serving = new Map<Live, Set<{ close(): void }>>()

  constructor(deps: ServedDeps) {
    this.deps = deps
    this.claims = new BulkClaims(deps.clock)
    this.askers = new Askers(deps)
  }

  /** Each of the returned functions ends a part of it. */
  start(): readonly (() => void)[] {
    const { bulk, swarm } = this.deps
    const raw = bulk === undefined ? [] : [this.claims.serve(bulk, (device) => this.contactOf(device) !== undefined)]
    return [...raw, swarm.handle(FILE_PROTOCOL, (channel) => this.serve(channel))]
  }

  /** Whose devices may fetch. */
  contactOf(device: DeviceId): StoredContact | undefined {
    const contact = this.deps.book.ownerOf(device)
    return contact?.state === 'accepted' && !contact.blocked ? contact : undefined
  }

  /** Who may not fetch any more is left. */
  lookAtContacts(): void {
    for (const link of this.links) if (this.contactOf(link.peer) === undefined) link.close()
  }

  /** Nothing of it is sent on. */
  interrupt(live: Live): void {
    for (const link of this.serving.get(live) ?? []) link.close()
  }

  private async serve(channel: Channel): Promise<void> {
    const { transfers, platform, book } = this.deps
    const link = linkOn(channel)
    const contact = this.contactOf(link.peer)
    const count = [...this.links].filter(({ peer }) => peer === link.peer).length
    if (contact === undefined || count >= MAX_SERVING) return link.close()
    this.links.add(link)
    const serving = this.servingOf(contact, link.peer)
    await serveLink(book.isOwn(contact.account) ? servingOwn(serving, { transfers, platform, sealing: this.deps }) : serving, link)
    this.links.delete(link)
  }

  private servingOf({ account }: StoredContact, peer: DeviceId): ServingDeps {
    const { transfers, logger, pace, withSource, onBroken, swarm } = this.deps
    return {
      ...{ logger, pace, withSource, onBroken },
      claim: (name) => this.claims.claim(peer, name),
      lookUp: async ({ id }) => offeredTo(account, id, await transfers.offered(id)),
      changed: (live, signal) => transfers.changed(live, signal),
      onServing: async (live, link) => {
        this.serving.set(live, (this.serving.get(live) ?? new Set()).add(link))
        await this.askers.asks(live, peer)
      },
      onSent: (live, bytes) => {
        const moved = live.stored.moved + bytes
        transfers.progress(live, { moved, bytes: Math.min(live.manifest.size, live.stored.bytes + bytes) })
      },
      onServed: (live, link) => this.onServed(live, link),
      onOutcome: async (outcome) => {
        const live = (await transfers.offered(outcome.id)) ?? transfers.find(outcome.id, 'in')
        if (live === undefined) this.early.keep(account, outcome)
        else if (live.stored.contact === account && (await this.askers.speaksForAll(live, peer, outcome)))
          await this.deps.onOutcome(live, outcome)
        return live !== undefined
      },
      onOffence: (code) => swarm.penalise(peer, code),
    }
  }

  /** What was said of an offer before it has come. @returns whether it is over */
  async onOffered(live: Live): Promise<boolean> {
    const outcome = this.early.take(live.stored.contact, live.stored.id)
    if (outcome !== undefined) await this.deps.onOutcome(live, outcome)
    return isFinal(live.stored)
  }

  /** Nobody fetches it any more: it waits for who does. */
  private async onServed(live: Live, link: { close(): void }): Promise<void> {
    const links = this.serving.get(live)
    links?.delete(link)
    if (links === undefined || links.size > 0) return
    this.serving.delete(live)
    if (live.stored.state === 'running') await this.deps.transfers.change(live, { state: 'waiting' })
  }
}
