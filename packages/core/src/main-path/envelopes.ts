/**
 * Session messages in sealed envelopes, for carriers that hold mail: mailbox and mesh. A carrier takes what `seal`
 * gives and hands what it fetched to `open`; what comes out goes the way of every message.
 */
import type { ContactBook } from '../contacts/index.ts'
import { depositTag, dayOf } from '../e2ee/delivery-tags.ts'
import { openBundle } from '../e2ee/bundle.ts'
import { openEnvelope, sealEnvelope } from '../e2ee/envelope.ts'
import { OwnTags, type TagSender } from '../e2ee/own-tags.ts'
import type { PrekeyKeeper } from '../e2ee/prekey-keeper.ts'
import { RejectionBudget } from '../e2ee/rejection-budget.ts'
import type { SessionCipher } from '../e2ee/session-cipher.ts'
import { SkeinError } from '../errors/index.ts'
import { accountDigest, type AccountId, type DeviceId, deviceIdFromKey, deviceKey } from '../ids.ts'
import { inviteHash } from '../identity/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Store } from '../ports/store.ts'
import { decodeHandover } from '../wire/handover.ts'
import { decodeEnvelope, decodeSessionMessage, type EnvelopeContentFields } from '../wire/sealed.ts'
import { decodeSigned } from '../wire/signed.ts'

/** Mail lives 30 days (EE5). */
export const MAIL_LIFETIME_MS = 30 * 86_400_000
/** What is given up sooner lies for so much longer with carriers: the clocks of two people may differ by a day (EE5). */
const CLOCKS_DIFFER_MS = 86_400_000
const MS_PER_HOUR = 3_600_000
/** Envelopes that did not open and are remembered: what lies on is fetched again, and asked about once. */
const MAX_ASKED_ABOUT = 1_024
const NOBODY = new Uint8Array()

export interface EnvelopeDeps {
  readonly book: ContactBook
  readonly store: Pick<Store, 'invites'>
  readonly clock: Clock
  readonly primitives: Primitives
  readonly prekeys: Pick<PrekeyKeeper, 'secretOf'>
  readonly cipher: Pick<SessionCipher, 'knows'>
  /** Our device's key, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** What our delivery tags are made of, 32 bytes. */
  readonly fetchSecret: Uint8Array
}

export interface CarriedMessage {
  /** Who claims to have sent it: true once the message opens in a session with that device. */
  readonly sender: DeviceId
  readonly message: Uint8Array
  /** Its number among all from that device to this one, if it was said; as true as `sender` is. */
  readonly seq: number | undefined
  /** Name of the invite that its tag was handed out with: whoever holds that may claim to be anybody. */
  readonly invite?: string
}

export interface SealOptions {
  /** Its number among all from this device to that one. */
  readonly seq?: number
  /** When its sender gives it up, milliseconds since 1970. */
  readonly until?: number
}

/** `account` is undefined for a tag that was handed out with an invite. */
interface Depositor extends TagSender {
  readonly account: AccountId | undefined
}

export class Envelopes {
  private readonly deps: EnvelopeDeps
  private readonly tagsOf: OwnTags
  private readonly budget: RejectionBudget
  /** Digests of envelopes that did not open. */
  private readonly askedAbout = new Set<string>()

  constructor(deps: EnvelopeDeps) {
    this.deps = deps
    this.tagsOf = new OwnTags(deps.primitives, deps.fetchSecret)
    this.budget = new RejectionBudget(deps.clock)
  }

  /**
   * An envelope around a session message, for a device of a contact. Another one each time, so that two carriers cannot tell
   * that they hold the same.
   * @throws SkeinError NO_BUNDLE, NO_DELIVERY_TAG, MESSAGE_TOO_LARGE
   */
  async seal(device: DeviceId, message: Uint8Array, { seq, until = Number.POSITIVE_INFINITY }: SealOptions = {}): Promise<Uint8Array> {
    const { book, clock, primitives, deviceKey: own } = this.deps
    const known = book.device(device)
    if (known === undefined || known.bundle.length === 0)
      throw new SkeinError('NO_BUNDLE', 'Nothing is known yet to encrypt to this device with.')
    const handed = decodeHandover(known.handover)
    const tag = handed === undefined ? undefined : depositTag(handed, clock.now())
    if (tag === undefined)
      throw new SkeinError('NO_DELIVERY_TAG', 'Nothing is known, or nothing any more, under which mail for this device can be left.')
    const { prekeyId, signedPrekey } = openBundle(primitives, decodeSigned(known.bundle), deviceKey(device))
    const expiryHour = Math.ceil(Math.min(clock.now() + MAIL_LIFETIME_MS, until + CLOCKS_DIFFER_MS) / MS_PER_HOUR)
    const sender = decodeSessionMessage(message).first === undefined ? NOBODY : own
    return sealEnvelope(
      primitives,
      { deliveryTag: tag, expiryHour, prekeyId, prekey: signedPrekey },
      { message, sender, ...(seq === undefined ? {} : { seq }) },
    )
  }

  /**
   * What lies in an envelope that was left under one of our tags. Nothing changes, whatever it holds.
   * @throws SkeinError BAD_FRAME, TAG_UNKNOWN, BUDGET_SPENT, ENVELOPE_EXPIRED, PREKEY_UNKNOWN, SEAL_BROKEN, WRONG_DEVICE, SESSION_UNKNOWN
   */
  async open(envelope: Uint8Array): Promise<CarriedMessage> {
    const depositor = await this.depositor(decodeEnvelope(envelope).deliveryTag)
    if (!this.budget.allows(depositor.name))
      throw new SkeinError('BUDGET_SPENT', 'Too much was left under the tags of one sender that does not open.')
    try {
      return await this.openFrom(depositor, envelope)
    } catch (error) {
      this.budget.spend(depositor.name)
      throw error
    }
  }

  /** Tags under which envelopes may come that were made in the last days. */
  async tags(daysBack: number): Promise<readonly Uint8Array[]> {
    return this.tagsOf.around(await this.depositors(), dayOf(this.deps.clock.now()), daysBack)
  }

  /** Before any key is touched: in a mesh most of what comes is for others. */
  private async depositor(tag: Uint8Array): Promise<Depositor> {
    const found = this.tagsOf.find(tag, await this.depositors(), dayOf(this.deps.clock.now()))
    if (found === undefined) throw new SkeinError('TAG_UNKNOWN', 'An envelope is not addressed to this device.')
    return found
  }

  private async depositors(): Promise<readonly Depositor[]> {
    const { book, clock, primitives, store } = this.deps
    const contacts = book.everyone().filter(({ blocked, state }) => !blocked && state !== 'requested')
    const now = clock.now()
    const invites = (await store.invites()).filter(({ revoked, expiresAt }) => !revoked && now < expiresAt + MAIL_LIFETIME_MS)
    return [
      ...contacts.map(({ account }) => ({ name: account, digest: () => accountDigest(account), account })),
      ...invites.map(({ secret }) => ({
        name: `invite ${secret.join()}`,
        digest: () => inviteHash(primitives, secret),
        account: undefined,
      })),
    ]
  }

  /**
   * Devices of the contact who has left an envelope that does not open: those to be asked to start anew, none when they were asked
   * about it before. @returns `undefined` where everybody with an invite may have left it @throws SkeinError BAD_FRAME, TAG_UNKNOWN
   */
  async suspects(envelope: Uint8Array): Promise<{ readonly devices: readonly DeviceId[] } | undefined> {
    const { account } = await this.depositor(decodeEnvelope(envelope).deliveryTag)
    const digest = this.deps.primitives.sha256(envelope).join()
    if (account === undefined) return undefined
    if (this.askedAbout.has(digest)) return { devices: [] }
    const [oldest] = this.askedAbout
    if (this.askedAbout.size >= MAX_ASKED_ABOUT && oldest !== undefined) this.askedAbout.delete(oldest)
    this.askedAbout.add(digest)
    return { devices: this.deps.book.devicesOf(account).map(({ device }) => device) }
  }

  private async openFrom({ account, name }: Depositor, envelope: Uint8Array): Promise<CarriedMessage> {
    const { primitives, prekeys, clock } = this.deps
    const content = await openEnvelope(primitives, envelope, { secretOf: (id) => prekeys.secretOf(id), now: clock.now() })
    const { message, seq } = content
    const sender = await this.senderOf(content, account)
    return { sender, message, seq, ...(account === undefined ? { invite: name } : {}) }
  }

  private async senderOf({ sender, message }: EnvelopeContentFields, account: AccountId | undefined): Promise<DeviceId> {
    const { book, cipher } = this.deps
    const accounts = account === undefined ? book.everyone().map((contact) => contact.account) : [account]
    const devices = accounts.flatMap((each) => book.devicesOf(each)).map(({ device }) => device)
    if (sender.length > 0) {
      const device = deviceIdFromKey(sender)
      // Whoever was invited may be in no book yet: then the message does not open before the card has come.
      if (account === undefined || devices.includes(device)) return device
      throw new SkeinError('WRONG_DEVICE', 'An envelope was left under the tag of somebody else.')
    }
    for (const device of devices) if (await cipher.knows(device, message)) return device
    throw new SkeinError('SESSION_UNKNOWN', 'A message belongs to a session that is not known here.')
  }
}
