/** Leaves what waits for a device at mailboxes of its owner, in disguise, and records who holds it. */
import { chooseCarriers, type CarrierView, type MailRefusal } from '../delivery/index.ts'
import { isSkeinError } from '../errors/index.ts'
import { type AccountId, type DeviceId, deviceKey } from '../ids.ts'
import type { Envelopes } from '../main-path/envelopes.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { OutboxRow, Store } from '../ports/store.ts'
import { encodeMailReceipt, type MailboxReplyFields } from '../wire/mailbox.ts'
import { isSignedBy, type SignedBytes } from '../wire/signed.ts'
import { type LinkDeps, MailboxLink } from './mailbox-link.ts'
import type { HeldToken, Purse } from './purse.ts'

/** Deposits of one device that are under way at once. */
const AT_ONCE = 64
/** Tokens tried for one deposit: some may be too old, or have been spent by somebody who handed them to several. */
const MAX_TOKENS_TRIED = 4
const NO_TOKEN = new Uint8Array()

export interface DepositorDeps extends LinkDeps {
  readonly store: Store
  readonly logger: Logger
  readonly primitives: Primitives
  readonly purse: Purse
  readonly envelopes: Envelopes
  /** URLs of our own, of which we have as many tokens as we need. */
  readonly mailboxes: readonly string[]
  viewOf(row: OutboxRow): CarrierView
  /** A relay has stored a row, and has signed that. */
  onStored(rows: readonly OutboxRow[], mailbox: string): Promise<void>
  /** What it has signed. @param key of the relay, 32 bytes */
  onSigned(row: OutboxRow, mailbox: string, receipt: { readonly key: Uint8Array; readonly signed: SignedBytes }): void
}

/** One round's dealings with a mailbox. */
interface Visit {
  /** `undefined` when it takes nothing more in this round. */
  link: MailboxLink | undefined
  /** A row of so many bytes has found no room; smaller ones may. */
  tooLarge: number
}

interface Deposit {
  readonly mailbox: string
  readonly row: OutboxRow
  /** Whether a token is spent where one is wanted. */
  readonly pays: boolean
}

/** `too-large`: there is no room for one of its size under its tag. */
type Outcome = 'stored' | 'unpaid' | 'too-large' | 'refused'

/** What else the user is told of than that nothing answers. */
const REFUSALS: Readonly<Record<string, MailRefusal>> = { full: 'mailbox-full', 'tag-full': 'mailbox-full', expired: 'clock-wrong' }

const refusalKey = (device: DeviceId, mailbox: string): string => `${device} ${mailbox}`

export class Depositor {
  private readonly deps: DepositorDeps
  private readonly running = new Map<DeviceId, { again: boolean }>()
  private readonly stopping = new AbortController()
  /** What a mailbox said last about mail for a device, where it took none. */
  private readonly refusals = new Map<string, MailRefusal>()

  constructor(deps: DepositorDeps) {
    this.deps = deps
  }

  stop(): void {
    this.stopping.abort()
  }

  /** What the last of these mailboxes has answered, when each has refused mail for the device; else null. */
  refusalOf(device: DeviceId, mailboxes: readonly string[]): MailRefusal | null {
    const said = mailboxes.map((mailbox) => this.refusals.get(refusalKey(device, mailbox)))
    return said.includes(undefined) ? null : (said.at(-1) ?? null)
  }

  /** Leaves what the plan gives to mailboxes; concurrent calls for a device are one. Never throws. */
  async leave(device: DeviceId): Promise<void> {
    const running = this.running.get(device)
    if (running !== undefined) {
      running.again = true
      return
    }
    const round = { again: true }
    this.running.set(device, round)
    try {
      while (round.again && !this.stopping.signal.aborted) {
        round.again = false
        await this.leaveAll(device)
      }
    } catch (error) {
      this.deps.logger.warn('mail-not-left', { code: isSkeinError(error) ? error.code : String(error) })
    } finally {
      this.running.delete(device)
    }
  }

  private async leaveAll(device: DeviceId): Promise<void> {
    const visits = new Map<string, Visit>()
    try {
      for (let after = 0; ; ) {
        const rows = await this.deps.store.outbox(device, after, AT_ONCE)
        after = rows.at(-1)?.seq ?? after
        const wanted = new Set(rows.flatMap((row) => chooseCarriers(this.deps.viewOf(row)).mailboxes))
        // Side by side: one that is slow, or answers nothing, holds up no other.
        const left = await Promise.allSettled([...wanted].map((mailbox) => this.leaveAt(mailbox, rows, visits)))
        for (const each of left) if (each.status === 'rejected') throw each.reason
        if (rows.length < AT_ONCE) return
      }
    } finally {
      for (const { link } of visits.values()) link?.close()
    }
  }

  private async leaveAt(mailbox: string, rows: readonly OutboxRow[], visits: Map<string, Visit>): Promise<void> {
    const mine = rows.filter((row) => chooseCarriers(this.deps.viewOf(row)).mailboxes.includes(mailbox))
    const device = mine[0]?.device
    if (device === undefined) return
    const visit = visits.get(mailbox) ?? { link: await this.open(device, mailbox), tooLarge: Number.POSITIVE_INFINITY }
    visits.set(mailbox, visit)
    if (visit.link === undefined) return
    const stored = await this.depositAll(visit, mailbox, mine)
    if (stored.length > 0) await this.deps.onStored(stored, mailbox)
    if (Number.isFinite(visit.tooLarge)) this.refusals.set(refusalKey(device, mailbox), 'mailbox-full')
  }

  private async open(device: DeviceId, mailbox: string): Promise<MailboxLink | undefined> {
    // One disguise for each recipient: the relay does not learn that two of them have a contact in common.
    const link = await MailboxLink.open(this.deps, { url: mailbox, disguise: `mail for ${device}`, signal: this.stopping.signal })
    if (link === undefined) this.refused(device, mailbox, undefined)
    return link
  }

  /** @returns the rows that the relay has signed to hold @throws SkeinError NO_BUNDLE, NO_DELIVERY_TAG, MESSAGE_TOO_LARGE */
  private async depositAll(visit: Visit, mailbox: string, rows: readonly OutboxRow[]): Promise<readonly OutboxRow[]> {
    const { link } = visit
    const stored: OutboxRow[] = []
    for (let waiting = rows; link !== undefined; ) {
      const [first, ...others] = waiting.filter(({ sealed }) => sealed.length < visit.tooLarge)
      if (first === undefined) return stored
      // One alone finds out whether a token is wanted, and pays for those behind it: together each would pay for itself.
      const outcome = await this.deposit(link, { mailbox, row: first, pays: true })
      if (outcome === 'too-large') visit.tooLarge = first.sealed.length
      waiting = others
      if (outcome === 'too-large') continue
      if (outcome !== 'stored') break
      const outcomes = await Promise.all(others.map((row) => this.deposit(link, { mailbox, row, pays: false })))
      stored.push(first, ...others.filter((_, at) => outcomes[at] === 'stored'))
      waiting = others.filter((_, at) => outcomes[at] === 'unpaid')
    }
    // Full, or no token left: what comes behind fares no better now.
    if (stored.length > 0) return stored
    link?.close()
    visit.link = undefined
    return stored
  }

  /** `stored`: the relay has signed that it holds the row. @throws SkeinError NO_BUNDLE, NO_DELIVERY_TAG, MESSAGE_TOO_LARGE */
  private async deposit(link: MailboxLink, { mailbox, row, pays }: Deposit): Promise<Outcome> {
    const { envelopes, purse, logger } = this.deps
    const { device, sealed, seq, expiresAt: until } = row
    const envelope = await envelopes.seal(device, sealed, { seq, until })
    let reply = await link.ask({ kind: 'deposit', envelope, token: NO_TOKEN })
    for (let tried = 0; pays && tried < MAX_TOKENS_TRIED && wantsToken(reply); tried += 1) {
      const held = await this.tokenFor(mailbox, row.contact)
      if (held === undefined) break
      reply = await link.ask({ kind: 'deposit', envelope, token: held.token })
      if (reply?.kind === 'refused' && reply.why === 'token-refused') await purse.dropLike(mailbox, held)
    }
    if (reply?.kind === 'stored') {
      const receipt = this.receipt(link, envelope, reply)
      // What it has not signed as it should it may as well not hold.
      if (receipt === undefined) this.refused(device, mailbox, undefined)
      else this.refusals.delete(refusalKey(device, mailbox))
      if (receipt !== undefined) this.deps.onSigned(row, mailbox, receipt)
      return receipt === undefined ? 'refused' : 'stored'
    }
    if (pays) this.refused(device, mailbox, reply)
    logger.info('mail-not-taken', { why: reply?.kind === 'refused' ? reply.why : 'no answer' })
    if (reply?.kind === 'refused' && reply.why === 'tag-full') return 'too-large'
    return wantsToken(reply) ? 'unpaid' : 'refused'
  }

  private async tokenFor(mailbox: string, recipient: AccountId): Promise<HeldToken | undefined> {
    const { purse, mailboxes } = this.deps
    const held = await purse.take(mailbox, recipient)
    if (held !== undefined || !mailboxes.includes(mailbox)) return held
    await purse.fillDry(mailbox, this.stopping.signal)
    return purse.take(mailbox, recipient)
  }

  private refused(device: DeviceId, mailbox: string, reply: MailboxReplyFields | undefined): void {
    const why = reply?.kind === 'refused' ? reply.why : undefined
    this.refusals.set(refusalKey(device, mailbox), wantsToken(reply) ? 'no-tokens' : (REFUSALS[why ?? ''] ?? 'mailbox-away'))
  }

  private receipt(
    { relay }: MailboxLink,
    envelope: Uint8Array,
    { storedAt, expiresAt, signature }: Extract<MailboxReplyFields, { kind: 'stored' }>,
  ): { readonly key: Uint8Array; readonly signed: SignedBytes } | undefined {
    const { primitives } = this.deps
    const statement = encodeMailReceipt({ envelopeDigest: primitives.sha256(envelope), storedAt, expiresAt })
    const [key, signed] = [deviceKey(relay), { statement, signature }]
    return isSignedBy(primitives, 'skein mail receipt v1', { signed, key }) ? { key, signed } : undefined
  }
}

function wantsToken(reply: MailboxReplyFields | undefined): boolean {
  return reply?.kind === 'refused' && ['token-wanted', 'token-spent', 'token-refused'].includes(reply.why)
}
