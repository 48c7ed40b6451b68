/** Keeps contacts in tokens, with which they leave mail at our mailboxes (MB11, MB20). */
import { hex } from '@scure/base'
import type { ContactBook } from '../contacts/index.ts'
import type { AccountId, DeviceId } from '../ids.ts'
import type { Purse } from '../mailbox/purse.ts'
import { type MainPath, sendControl } from '../main-path/index.ts'
import type { MessengerPorts } from '../messenger-ports.ts'
import type { StoredContact, StoredDevice } from '../ports/store.ts'
import type { HandoverFields } from '../wire/handover.ts'
import { tokenKeyId } from '../wire/mailbox.ts'

/** Tokens handed to a contact's device at once: as many days of mail at least … */
const GRANTED = 4
/** … and those it begins with, when it has none that are worth anything: who goes away soon after is written to all the same. */
const GRANTED_FIRST = 12
/** How often more are ordered for one device when others take all that come. */
const GRANT_TRIES = 3
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

export interface GrantsDeps extends Pick<MessengerPorts, 'clock' | 'logger' | 'primitives' | 'store'> {
  readonly book: ContactBook
  readonly purse: Purse
  /** URLs of our own. */
  readonly mailboxes: readonly string[]
  /** Delivery tags for mail to this device from an account, for the days ahead. */
  tagsFor(account: AccountId): HandoverFields
}

/** When a device was given tokens, and with which key they were made; both are missing while it has had none. */
interface Granted {
  readonly at: number
  readonly keyId: string | undefined
}

export class Grants {
  private readonly deps: GrantsDeps
  private readonly stopping = new AbortController()
  private readonly granting = new Set<DeviceId>()
  /** By device and mailbox: mail since the last tokens. */
  private readonly mailSince = new Map<string, number>()
  /** When a device was last to have tokens for its mail, monotonic milliseconds. */
  private readonly lookedAt = new Map<DeviceId, number>()
  /** Digest of the key that a mailbox has shown last. */
  private readonly keyIds = new Map<string, string>()
  private path: MainPath | undefined

  constructor(deps: GrantsDeps) {
    this.deps = deps
  }

  start(path: MainPath): void {
    this.path = path
  }

  stop(): void {
    this.stopping.abort()
  }

  onContact({ account }: StoredContact): void {
    for (const device of this.deps.book.devicesOf(account)) void this.grantIfDue(device)
  }

  onMailFrom(device: DeviceId): void {
    for (const mailbox of this.mailboxes) {
      const key = grantKey(device, mailbox)
      this.mailSince.set(key, (this.mailSince.get(key) ?? 0) + 1)
    }
    const known = this.deps.book.device(device)
    const now = this.deps.clock.monotonic()
    if (known === undefined || now - (this.lookedAt.get(device) ?? Number.NEGATIVE_INFINITY) < GRANT_LOOK_MS) return
    this.lookedAt.set(device, now)
    void this.grantIfDue(known)
  }

  /** A mailbox says with which key it makes tokens: whoever was given none yet, or such as are worth nothing, has others. */
  onKey(mailbox: string, key: Uint8Array): void {
    const keyId = hex.encode(this.deps.primitives.sha256(key))
    if (this.keyIds.get(mailbox) === keyId || !this.mailboxes.includes(mailbox)) return
    this.keyIds.set(mailbox, keyId)
    this.deps.purse.forgetKey(mailbox)
    void this.renew(mailbox).catch((error: unknown) => this.deps.logger.warn('no-tokens-handed-out', { reason: String(error) }))
  }

  private async renew(mailbox: string): Promise<void> {
    const { book } = this.deps
    for (const { account } of book.all())
      for (const known of book.devicesOf(account)) {
        const given = await this.given(known.device, mailbox)
        if (given.at === 0 || this.isOutdated(mailbox, given)) await this.grantIfDue(known)
      }
  }

  /** Hands a contact's device tokens for our mailboxes, if it may be short of them. Never throws. */
  private async grantIfDue(known: StoredDevice): Promise<void> {
    const { logger, book } = this.deps
    const { device, account } = known
    const contact = book.get(account)
    if (this.path === undefined || this.granting.has(device) || contact?.state !== 'accepted' || contact.blocked) return
    this.granting.add(device)
    try {
      await this.grantWhatIsDue(this.path, known)
    } catch (error) {
      logger.warn('no-tokens-handed-out', { reason: String(error) })
    } finally {
      this.granting.delete(device)
    }
  }

  private get mailboxes(): readonly string[] {
    return this.deps.mailboxes.slice(0, GRANTED_MAILBOXES)
  }

  private async given(device: DeviceId, mailbox: string): Promise<Granted> {
    const [at, keyId] = ((await this.deps.store.setting(grantKey(device, mailbox))) ?? '0').split(' ')
    return { at: Number(at), keyId }
  }

  /** A mailbox that shows ever other keys has them handed out no more often than mail has. */
  private isOutdated(mailbox: string, { at, keyId }: Granted): boolean {
    const now = this.keyIds.get(mailbox)
    const age = this.deps.clock.now() - at
    return keyId !== undefined && now !== undefined && keyId !== now && (age < 0 || age > GRANT_SPACING_MS)
  }

  private isDue(key: string, age: number): boolean {
    const mail = this.mailSince.get(key) ?? 0
    return age < 0 || age > GRANT_RENEWED_MS || (mail >= MAIL_PER_GRANT && age > GRANT_SPACING_MS) || (mail > 0 && age > GRANT_AGE_MS)
  }

  private async grantWhatIsDue(path: MainPath, known: StoredDevice): Promise<void> {
    // Each mailbox by itself: one that was away has its turn when it is back, and one that answers nothing holds up no other.
    const given = await Promise.all(this.mailboxes.map((mailbox) => this.grantAt(path, known, mailbox)))
    // Else two that have no tokens would answer each other's mail with mail.
    if (!given.includes(true)) return
    // Whoever never meets this device, or no more, can write to it still.
    await sendControl(path, known, { control: { kind: 'handover', handover: this.deps.tagsFor(known.account) } })
  }

  /** @returns whether tokens of this mailbox were due, and there were any */
  private async grantAt(path: MainPath, known: StoredDevice, mailbox: string): Promise<boolean> {
    const given = await this.given(known.device, mailbox)
    const isOutdated = this.isOutdated(mailbox, given)
    if (!isOutdated && !this.isDue(grantKey(known.device, mailbox), this.deps.clock.now() - given.at)) return false
    return this.grantFilled(path, known, { mailbox, count: isOutdated || given.at === 0 ? GRANTED_FIRST : GRANTED })
  }

  /** Once more where others have just been given all there were. @returns whether there were any */
  private async grantFilled(path: MainPath, known: StoredDevice, grant: { mailbox: string; count: number }): Promise<boolean> {
    for (let tries = 0; tries < GRANT_TRIES; tries += 1) {
      await this.deps.purse.fill(grant.mailbox, this.stopping.signal)
      if (await this.grant(path, known, grant)) return true
    }
    return false
  }

  private grant(path: MainPath, known: StoredDevice, { mailbox, count }: { mailbox: string; count: number }): Promise<boolean> {
    return this.deps.purse.give(mailbox, count, async (tokens, beside) => {
      const [first] = tokens
      if (first === undefined) return false
      const value = `${this.deps.clock.now()} ${hex.encode(tokenKeyId(first))}`
      const note = { kind: 'setting.put', key: grantKey(known.device, mailbox), value } as const
      await sendControl(path, known, { control: { kind: 'grant', mailbox, tokens }, beside: [...beside, note] })
      this.mailSince.delete(note.key)
      return true
    })
  }
}

const grantKey = (device: DeviceId, mailbox: string): string => `mail-granted ${device} ${mailbox}`
