/** Our card while we run: its keys rotate, and it shows the devices that the account has. */
import type { PrekeyKeeper } from '../e2ee/index.ts'
import { SkeinError } from '../errors/index.ts'
import type { MainPath } from '../main-path/index.ts'
import { MAX_CARD_BUNDLES } from '../wire/limits.ts'
import { decodeSigned } from '../wire/signed.ts'
import { leaveInviteCards, publishOwnRecord } from './adding.ts'
import { tellAgainOfList, tellOfCard, tellOfMailboxes } from './card-words.ts'
import type { ContactDeps } from './contact-deps.ts'
import { openOwnCard, type OwnCard } from './own-card.ts'
import { lookUpOwn, refreshBundles } from './refresh-bundles.ts'

/** Prekeys are looked after twice a day: a weekly rotation is never more than half a day late. */
const KEY_CHECK_MS = 43_200_000

export interface CardKeeperDeps {
  readonly contacts: ContactDeps
  readonly prekeys: PrekeyKeeper
  readonly name: string
  readonly relays: readonly string[]
  readonly mailboxes?: readonly string[]
  /** Everybody in touch is to be shown the card now. */
  hurry(): void
}

export class CardKeeper {
  private readonly deps: CardKeeperDeps
  private card: OwnCard | undefined

  constructor(deps: CardKeeperDeps) {
    this.deps = deps
  }

  /** @throws SkeinError STORE_CLOSED before the first `refresh` */
  current(): OwnCard {
    if (this.card === undefined) throw new SkeinError('STORE_CLOSED', 'The messenger is not running.')
    return this.card
  }

  /** Rotates prekeys when due; true when what is shown is new. */
  async refresh(): Promise<boolean> {
    const { contacts, prekeys } = this.deps
    const changed = await prekeys.refresh()
    if (changed) await this.renew()
    const before = contacts.clock.now()
    await contacts.store.commit([
      { kind: 'digest.prune', before },
      { kind: 'one-time.prune', before },
    ])
    return changed
  }

  /** The card says something new: everybody in touch is shown it. */
  async show(): Promise<void> {
    await this.renew()
    this.deps.hurry()
    await this.leaveEverywhere()
  }

  /** Every device of every contact, by whatever carrier. @throws SkeinError DISK_FULL, STORE_CLOSED */
  async tell(path: MainPath): Promise<void> {
    await tellOfCard(path, this.current().signed)
    await this.tellAgain(path)
  }

  /** Where mail for us is left now, if that has changed, and of another list of devices once more. @throws SkeinError DISK_FULL, STORE_CLOSED */
  async tellNews(path: MainPath): Promise<void> {
    await tellOfMailboxes(path, this.current())
    await this.tellAgain(path)
  }

  private tellAgain(path: MainPath): Promise<void> {
    return tellAgainOfList(path, this.current(), this.deps.contacts.identity.listVersion)
  }

  /** A relay has come: what others look for is left there, and looked for. */
  async publish(): Promise<void> {
    const { contacts } = this.deps
    // Whoever has an invite in hand is not to wait for a look-up.
    await this.tried('cards-not-left', leaveInviteCards(contacts))
    await this.tried('own-list-not-looked-up', lookUpOwn(contacts))
    await Promise.all([this.tried('record-not-published', publishOwnRecord(contacts)), this.refreshOthers()])
  }

  /** Runs until `signal` aborts. */
  async keepFresh(path: MainPath, signal: AbortSignal): Promise<void> {
    while (await this.deps.contacts.clock.sleep(KEY_CHECK_MS, { signal })) {
      const changed = await this.refresh().catch((error: unknown) => this.warn('key-rotation-failed', error))
      await this.refreshOthers()
      if (changed === true) await this.leaveEverywhere()
      await this.tried('card-not-sent', this.tellNews(path))
    }
  }

  private async renew(): Promise<void> {
    const { contacts, prekeys, name, relays, mailboxes = [] } = this.deps
    const known = contacts.book.ownDevices().filter(({ bundle }) => bundle.length > 0)
    const bundles = known.slice(0, MAX_CARD_BUNDLES).map(({ bundle }) => decodeSigned(bundle))
    this.card = await openOwnCard(contacts, { name, relays, mailboxes, bundle: prekeys.bundle(), bundles })
  }

  private async leaveEverywhere(): Promise<void> {
    await this.tried('cards-not-left', leaveInviteCards(this.deps.contacts))
    await this.tried('record-not-published', publishOwnRecord(this.deps.contacts))
  }

  private refreshOthers(): Promise<void> {
    return this.tried('bundles-not-refreshed', refreshBundles(this.deps.contacts))
  }

  private tried(what: string, work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => this.warn(what, error))
  }

  private warn(what: string, error: unknown): void {
    this.deps.contacts.logger.warn(what, { reason: String(error) })
  }
}
