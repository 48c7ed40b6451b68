/** Mailboxes as a carrier: leaves rows at those of the recipient, collects from our own, and keeps contacts in tokens. */
import type { ContactBook } from '../contacts/index.ts'
import type { CarrierView, MailRefusal } from '../delivery/index.ts'
import { depositTag } from '../e2ee/delivery-tags.ts'
import type { AccountId, DeviceId } from '../ids.ts'
import { Collector } from '../mailbox/collector.ts'
import { Depositor } from '../mailbox/depositor.ts'
import { Purse } from '../mailbox/purse.ts'
import { type MainPath, receiveMail, sendControl } from '../main-path/index.ts'
import type { MessengerPorts } from '../messenger-ports.ts'
import type { OutboxRow, StoredContact, StoredDevice } from '../ports/store.ts'
import type { BlindTokens } from '../ports/tokens.ts'
import { decodeContactCard } from '../wire/contact.ts'
import { decodeHandover, type HandoverFields } from '../wire/handover.ts'
import { decodeSigned, type SignedBytes } from '../wire/signed.ts'

/** Tokens handed to a contact's device at once: as many days of mail at least. */
const GRANTED = 4
/** Own mailboxes that contacts are given tokens for: as many as copies are left. */
const GRANTED_MAILBOXES = 2
/** A contact has more tokens when it has left so much mail since the last ones … */
const MAIL_PER_GRANT = 64
/** … and not sooner than this after them, milliseconds: who catches up with a thousand messages has something better to do. */
const GRANT_SPACING_MS = 600_000
/** Mail of a device is answered with a look for tokens not sooner than this after the last one, milliseconds: a mailbox may be away. */
const GRANT_LOOK_MS = 30_000
/** … or any mail so long after them, milliseconds: a day's mail costs a token. */
const GRANT_AGE_MS = 12 * 3_600_000
/** Whoever leaves no mail keeps what it has so long; then tokens grow old. Milliseconds. */
const GRANT_RENEWED_MS = 21 * 86_400_000

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
  private readonly granting = new Set<DeviceId>()
  /** By device and mailbox: mail since the last tokens. */
  private readonly mailSince = new Map<string, number>()
  /** When a device was last to have tokens for its mail, monotonic milliseconds. */
  private readonly lookedAt = new Map<DeviceId, number>()
  private readonly stopping = new AbortController()
  private depositor: Depositor | undefined
  private path: MainPath | undefined

  constructor(deps: MailCarrierDeps) {
    this.deps = deps
    this.purse = new Purse(deps)
    const onMail = (envelope: Uint8Array): Promise<'done' | 'keep'> => this.receive(envelope)
    this.collectors = deps.mailboxes.map((mailbox) => new Collector(mailbox, { ...deps, onMail }))
  }

  start(path: MainPath): void {
    this.path = path
    const onStored = async (rows: readonly OutboxRow[], mailbox: string): Promise<void> =>
      void (await Promise.all(rows.map((row) => this.deps.onCarried(row, mailbox))))
    this.depositor = new Depositor({ ...this.deps, purse: this.purse, envelopes: path.envelopes, onStored, onSigned: this.deps.onSigned })
    for (const collector of this.collectors) void collector.run()
  }

  stop(): void {
    this.stopping.abort()
    this.depositor?.stop()
    for (const collector of this.collectors) collector.stop()
  }

  /** The network has changed. */
  wake(): void {
    for (const collector of this.collectors) collector.wake()
  }

  /** Leaves what waits for a device that is away, as far as the plan wants it. Never throws. */
  async offer(device: DeviceId): Promise<void> {
    await this.depositor?.leave(device)
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
    for (const device of this.deps.book.devicesOf(contact.account)) void this.grantIfDue(device)
  }

  async status(): Promise<readonly MailboxStatus[]> {
    const all = this.collectors.map(async ({ mailbox, isWatching }): Promise<MailboxStatus> => {
      return { url: mailbox, watching: isWatching, tokens: (await this.deps.store.tokens(mailbox, null, 256)).length }
    })
    return Promise.all(all)
  }

  private async receive(envelope: Uint8Array): Promise<'done' | 'keep'> {
    if (this.path === undefined) return 'keep'
    return receiveMail(this.path, envelope, (device) => this.onMailFrom(device))
  }

  private onMailFrom(device: DeviceId): void {
    for (const mailbox of this.granted) {
      const key = grantKey(device, mailbox)
      this.mailSince.set(key, (this.mailSince.get(key) ?? 0) + 1)
    }
    const known = this.deps.book.device(device)
    const now = this.deps.clock.monotonic()
    if (known === undefined || now - (this.lookedAt.get(device) ?? Number.NEGATIVE_INFINITY) < GRANT_LOOK_MS) return
    this.lookedAt.set(device, now)
    void this.grantIfDue(known)
  }

  /** Hands a contact's device tokens for our mailboxes, if it may be short of them (MB11). Never throws. */
  private async grantIfDue(known: StoredDevice): Promise<void> {
    const { store, clock, logger, book } = this.deps
    const { device, account } = known
    const contact = book.get(account)
    if (this.path === undefined || this.granting.has(device) || contact?.state !== 'accepted' || contact.blocked) return
    this.granting.add(device)
    const due: string[] = []
    try {
      // Each mailbox by itself: one that was away has its turn when it is back.
      for (const mailbox of this.granted) {
        const key = grantKey(device, mailbox)
        const last = Number((await store.setting(key)) ?? '0')
        if (this.isDue(key, clock.now() - last)) due.push(mailbox)
      }
      if (due.length > 0) await this.grant(this.path, known, due)
    } catch (error) {
      logger.warn('no-tokens-handed-out', { reason: String(error) })
    } finally {
      this.granting.delete(device)
    }
  }

  private get granted(): readonly string[] {
    return this.deps.mailboxes.slice(0, GRANTED_MAILBOXES)
  }

  private isDue(key: string, age: number): boolean {
    const mail = this.mailSince.get(key) ?? 0
    return age < 0 || age > GRANT_RENEWED_MS || (mail >= MAIL_PER_GRANT && age > GRANT_SPACING_MS) || (mail > 0 && age > GRANT_AGE_MS)
  }

  private async grant(path: MainPath, known: StoredDevice, due: readonly string[]): Promise<void> {
    const { clock } = this.deps
    let given = false
    for (const mailbox of due) {
      await this.purse.fill(mailbox, this.stopping.signal)
      await this.purse.give(mailbox, GRANTED, async (tokens, beside) => {
        if (tokens.length === 0) return
        const note = { kind: 'setting.put', key: grantKey(known.device, mailbox), value: String(clock.now()) } as const
        await sendControl(path, known, { control: { kind: 'grant', mailbox, tokens }, beside: [...beside, note] })
        this.mailSince.delete(note.key)
        given = true
      })
    }
    // Else two that have no tokens would answer each other's mail with mail.
    if (!given) return
    // Whoever never meets this device, or no more, can write to it still.
    await sendControl(path, known, { control: { kind: 'handover', handover: this.deps.tagsFor(known.account) } })
  }
}

const grantKey = (device: DeviceId, mailbox: string): string => `mail-granted ${device} ${mailbox}`

/** What stands in a contact's card; none in the record that stands in for a card. */
function mailboxesIn(card: Uint8Array): readonly string[] {
  try {
    return decodeContactCard(decodeSigned(card).statement).mailboxes
  } catch {
    return []
  }
}
