/** Leaves what waits for a device at mailboxes of its owner, in disguise, and records who holds it. */
import { chooseCarriers, type CarrierView } from '../delivery/index.ts'
import { isSkeinError } from '../errors/index.ts'
import { type DeviceId, deviceKey } from '../ids.ts'
import type { Envelopes } from '../main-path/envelopes.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { OutboxRow, Store } from '../ports/store.ts'
import { encodeMailReceipt, type MailboxReplyFields } from '../wire/mailbox.ts'
import { isSignedBy, type SignedBytes } from '../wire/signed.ts'
import { type LinkDeps, MailboxLink } from './mailbox-link.ts'
import type { Purse } from './purse.ts'

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
  viewOf(row: OutboxRow): CarrierView
  /** A relay has stored a row, and has signed that. */
  onStored(rows: readonly OutboxRow[], mailbox: string): Promise<void>
  /** What it has signed. @param key of the relay, 32 bytes */
  onSigned(row: OutboxRow, mailbox: string, receipt: { readonly key: Uint8Array; readonly signed: SignedBytes }): void
}

export class Depositor {
  private readonly deps: DepositorDeps
  private readonly running = new Map<DeviceId, { again: boolean }>()
  private readonly stopping = new AbortController()

  constructor(deps: DepositorDeps) {
    this.deps = deps
  }

  stop(): void {
    this.stopping.abort()
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
    const links = new Map<string, MailboxLink | undefined>()
    try {
      for (let after = 0; ; ) {
        const rows = await this.deps.store.outbox(device, after, AT_ONCE)
        after = rows.at(-1)?.seq ?? after
        const wanted = new Set(rows.flatMap((row) => chooseCarriers(this.deps.viewOf(row)).mailboxes))
        for (const mailbox of wanted) await this.leaveAt(mailbox, rows, links)
        if (rows.length < AT_ONCE) return
      }
    } finally {
      for (const link of links.values()) link?.close()
    }
  }

  private async leaveAt(mailbox: string, rows: readonly OutboxRow[], links: Map<string, MailboxLink | undefined>): Promise<void> {
    const mine = rows.filter((row) => chooseCarriers(this.deps.viewOf(row)).mailboxes.includes(mailbox))
    const device = mine[0]?.device
    if (device === undefined) return
    // One disguise for each recipient: the relay does not learn that two of them have a contact in common.
    const wish = { url: mailbox, disguise: `mail for ${device}`, signal: this.stopping.signal }
    if (!links.has(mailbox)) links.set(mailbox, await MailboxLink.open(this.deps, wish))
    const link = links.get(mailbox)
    if (link === undefined) return
    // The first one alone: it finds out whether a token is wanted.
    const [first, ...others] = mine
    const stored = first !== undefined && (await this.deposit(link, mailbox, first)) ? [first] : []
    if (stored.length > 0) {
      const done = await Promise.all(others.map((row) => this.deposit(link, mailbox, row)))
      stored.push(...others.filter((_, at) => done[at]))
    }
    if (stored.length > 0) return this.deps.onStored(stored, mailbox)
    // Full, or no token left: what comes behind fares no better now.
    link.close()
    links.set(mailbox, undefined)
  }

  /** Whether the relay has signed that it holds the row. @throws SkeinError NO_BUNDLE, NO_DELIVERY_TAG, MESSAGE_TOO_LARGE */
  private async deposit(link: MailboxLink, mailbox: string, row: OutboxRow): Promise<boolean> {
    const { envelopes, purse, logger } = this.deps
    const { device, sealed, seq } = row
    const envelope = await envelopes.seal(device, sealed, seq)
    let reply = await link.ask({ kind: 'deposit', envelope, token: NO_TOKEN })
    for (let tried = 0; tried < MAX_TOKENS_TRIED && wantsToken(reply); tried += 1) {
      const token = await purse.take(mailbox)
      if (token === undefined) break
      reply = await link.ask({ kind: 'deposit', envelope, token })
    }
    if (reply?.kind === 'stored') {
      const receipt = this.receipt(link, envelope, reply)
      if (receipt !== undefined) this.deps.onSigned(row, mailbox, receipt)
      return receipt !== undefined
    }
    logger.info('mail-not-taken', { why: reply?.kind === 'refused' ? reply.why : 'no answer' })
    return false
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
