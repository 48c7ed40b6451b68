/** Mailboxes as a carrier: leaves rows at those of the recipient, collects from our own. */
import type { ContactBook } from '../contacts/index.ts'
import type { CarrierView, MailRefusal } from '../delivery/index.ts'
import { depositTag } from '../e2ee/delivery-tags.ts'
import type { AccountId, DeviceId } from '../ids.ts'
import { Collector, type MailFate } from '../mailbox/collector.ts'
import type { Depositor, DepositorDeps } from '../mailbox/depositor.ts'
import { Purse } from '../mailbox/purse.ts'
import { type MainPath, receiveMail } from '../main-path/index.ts'
import type { MessengerPorts } from '../messenger-ports.ts'
import type { OutboxRow, StoredContact } from '../ports/store.ts'
import type { BlindTokens } from '../ports/tokens.ts'
import { decodeContactCard } from '../wire/contact.ts'
import { decodeHandover, type HandoverFields } from '../wire/handover.ts'
import { decodeSigned, type SignedBytes } from '../wire/signed.ts'
import { Grants } from './grants.ts'
import { loadDepositor } from './late-code.ts'

export interface MailCarrierDeps extends Pick<MessengerPorts, 'clock' | 'random' | 'primitives' | 'logger' | 'store' | 'swarm'> {
  readonly book: ContactBook
  tokens(): Promise<BlindTokens>
  /** URLs of our own. */
  readonly mailboxes: readonly string[]
  readonly fetchSecret: Uint8Array
  /** Delivery tags for mail to this device from an account, for the days ahead. */
  tagsFor(account: AccountId): HandoverFields
  viewOf(row: OutboxRow): CarrierView
  /** Records that a mailbox holds these rows. */
  onCarried(row: OutboxRow, carrier: string): Promise<void>
  /** What a mailbox has signed about a row. @param key of the relay, 32 bytes */
  onSigned(row: OutboxRow, mailbox: string, receipt: { readonly key: Uint8Array; readonly signed: SignedBytes }): void
  /** Everything that lay in a mailbox has been taken in. */
  onCollected(): void
}

interface CardMemo {
  readonly card: Uint8Array
  readonly mailboxes: readonly string[]
}

export interface MailboxStatus {
  readonly url: string
  /** Mail that comes is fetched at once. */
  readonly watching: boolean
  /** Tokens for it that were fetched and are at hand, up to 256. */
  readonly tokens: number
}

export class MailCarrier {
  private readonly deps: MailCarrierDeps
  private readonly purse: Purse
  private readonly collectors: readonly Collector[]
  private readonly cards = new Map<string, CardMemo>()
  private readonly grants: Grants
  private depositor: Depositor | undefined
  private path: MainPath | undefined
  private isStopped = false

  constructor(deps: MailCarrierDeps) {
    this.deps = deps
    this.purse = new Purse(deps)
    this.grants = new Grants({ ...deps, purse: this.purse })
    const onMail = (envelope: Uint8Array, isAgain: boolean): Promise<MailFate> => this.receive(envelope, isAgain)
    const onKey = (mailbox: string, key: Uint8Array): void => this.grants.onKey(mailbox, key)
    this.collectors = deps.mailboxes.map((mailbox) => new Collector(mailbox, { ...deps, onMail, onKey }))
  }

  start(path: MainPath): void {
    this.path = path
    this.grants.start(path)
    for (const collector of this.collectors) void collector.run()
  }

  stop(): void {
    this.isStopped = true
    this.grants.stop()
    this.depositor?.stop()
    for (const collector of this.collectors) collector.stop()
  }

  /** The network has changed. */
  wake(): void {
    for (const collector of this.collectors) collector.wake()
  }

  /** Leaves what waits for a device that is away, as far as the plan wants it. Never throws. */
  async offer(device: DeviceId): Promise<void> {
    try {
      const { Depositor } = await loadDepositor()
      if (this.path === undefined || this.isStopped) return
      this.depositor ??= new Depositor(this.depositing(this.path))
      await this.depositor.leave(device)
    } catch (error) {
      this.deps.logger.warn('mail-not-left', { reason: String(error) })
    }
  }

  private depositing({ envelopes }: MainPath): DepositorDeps {
    const onStored = async (rows: readonly OutboxRow[], mailbox: string): Promise<void> =>
      void (await Promise.all(rows.map((row) => this.deps.onCarried(row, mailbox))))
    return { ...this.deps, purse: this.purse, envelopes, onStored }
  }

  /** Mailboxes where mail for a device can be left: none while no delivery tag is known. */
  mailboxesFor(contact: StoredContact, device: DeviceId): readonly string[] {
    const handed = decodeHandover(this.deps.book.device(device)?.handover ?? new Uint8Array())
    if (handed === undefined || depositTag(handed, this.deps.clock.now()) === undefined) return []
    const known = this.cards.get(contact.account)
    if (known?.card === contact.card) return known.mailboxes
    const mailboxes = mailboxesIn(contact.card)
    this.cards.set(contact.account, { card: contact.card, mailboxes })
    return mailboxes
  }

  /** Why none of these mailboxes has taken mail for a device, as far as all were tried; else null. */
  refusalOf(device: DeviceId, mailboxes: readonly string[]): MailRefusal | null {
    return this.depositor?.refusalOf(device, mailboxes) ?? null
  }

  /** A contact is new or has changed: there may be mail under its tags, and it is to have tokens. */
  onContact(contact: StoredContact): void {
    this.wake()
    this.grants.onContact(contact)
  }

  async status(): Promise<readonly MailboxStatus[]> {
    const all = this.collectors.map(async ({ mailbox, isWatching }): Promise<MailboxStatus> => {
      return { url: mailbox, watching: isWatching, tokens: (await this.deps.store.tokens(mailbox, null, 256)).length }
    })
    return Promise.all(all)
  }

  private async receive(envelope: Uint8Array, isAgain: boolean): Promise<MailFate> {
    if (this.path === undefined) return 'keep'
    return receiveMail(this.path, envelope, { isAgain, onFrom: (device) => this.grants.onMailFrom(device) })
  }
}

/** What stands in a contact's card; none in the record that stands in for a card. */
function mailboxesIn(card: Uint8Array): readonly string[] {
  try {
    return decodeContactCard(decodeSigned(card).statement).mailboxes
  } catch {
    return []
  }
}
