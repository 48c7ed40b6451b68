/** Fetches what lies for us at one of our mailboxes, in disguise, and deletes it once it is committed. */
import { backoff } from '../delivery/backoff.ts'
import { dayOf } from '../e2ee/delivery-tags.ts'
import type { Logger } from '../ports/logger.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import { MAX_FETCH_RIGHTS, MAX_FORGOTTEN, MAX_MAIL_BATCH } from '../wire/limits.ts'
import type { MailItemFields } from '../wire/mailbox.ts'
import { fetchRight, type FetchRightsDeps, ownTags } from './fetch-rights.ts'
import { type LinkDeps, MailboxLink } from './mailbox-link.ts'

/** How long a relay is asked to wait for mail, milliseconds: below the time-outs of home routers. */
export const POLL_MS = 45_000
/** Waits between tries to reach a mailbox. */
const RETRY = { first: 1_000, most: 120_000 }
/** Waits before mail is looked at again that could not be taken in for a moment. */
const LOOK_AGAIN = { first: 30_000, most: 600_000 }

/** What becomes of mail: `keep` waits for something else to come, `later` for what passes, a full disk say. */
export type MailFate = 'done' | 'keep' | 'later'

export interface CollectorDeps extends FetchRightsDeps, LinkDeps {
  readonly store: Store
  readonly random: Random
  readonly logger: Logger
  /** Resolves when the envelope is durable here, or is to lie on. @param isAgain whether all was looked at before, and some of it is to lie on */
  onMail(envelope: Uint8Array, isAgain: boolean): Promise<MailFate>
  /** Everything that lay there has been taken in. */
  onCollected(): void
  /** With which key the mailbox makes tokens now. */
  onKey(mailbox: string, key: Uint8Array): void
}

export class Collector {
  readonly mailbox: string
  private readonly deps: CollectorDeps
  private readonly stopping = new AbortController()
  private hurry = new AbortController()
  private link: MailboxLink | undefined
  private opened = new Set<string>()
  /** Envelopes of this visit that are to lie on. */
  private kept = 0
  /** When those of them that wait for what passes are looked at again, by the machine's uptime; with none of them for ever. */
  private lookAt = Infinity
  private looks = 0
  /** What comes now, up to the end, was there before. */
  private isSecondLook = false
  /** What was kept may open now. */
  private isAnew = false
  private emptied = 0
  /** Tags have been opened under which mail may lie that is older than what was fetched. */
  private isWider = false
  /** The relay has no room to watch the rest of the tags. */
  private isPartly = false

  constructor(mailbox: string, deps: CollectorDeps) {
    this.mailbox = mailbox
    this.deps = deps
  }

  /** Whether the mailbox is being watched now. */
  get isWatching(): boolean {
    return this.link !== undefined && !this.link.closed
  }

  stop(): void {
    this.stopping.abort()
    this.hurry.abort()
  }

  /** The network has changed, or there is somebody new who may write. */
  wake(): void {
    this.hurry.abort()
    this.isAnew = true
    if (this.link !== undefined && !this.link.closed) void this.openTags(this.link).catch(() => this.link?.close())
  }

  /** Runs until stopped; never throws. */
  async run(): Promise<void> {
    const { clock, random, logger } = this.deps
    for (let attempts = 0; !this.stopping.signal.aborted; attempts += 1) {
      this.hurry = new AbortController()
      try {
        if (await this.visit()) attempts = 0
      } catch (error) {
        logger.warn('mail-not-fetched', { reason: String(error) })
      }
      this.link?.close()
      await clock.sleep(backoff(attempts, random, RETRY), { signal: this.hurry.signal })
    }
  }

  /** One stream's worth of fetching; true when the relay gave something, and refused nothing. */
  private async visit(): Promise<boolean> {
    const link = await MailboxLink.open(this.deps, { url: this.mailbox, disguise: 'own mail', signal: this.stopping.signal })
    if (link === undefined) return false
    this.link = link
    this.deps.onKey(this.mailbox, link.tokenKey)
    this.opened = new Set()
    this.begin()
    let isServed = false
    for (let after = 0; !link.closed; ) {
      if (!(await this.openTags(link))) return isServed && link.closed
      if (this.isToBeginAnew) after = this.begin()
      this.isAnew = false
      const today = dayOf(this.deps.clock.now())
      const waitMs = Math.max(0, Math.min(POLL_MS, this.lookAt - this.deps.clock.monotonic()))
      const batch = await link.ask({ kind: 'fetch', after, limit: MAX_MAIL_BATCH, waitMs: Math.ceil(waitMs) }, POLL_MS)
      if (batch?.kind !== 'batch') return isServed && batch === undefined
      isServed = true
      await this.takeIn(link, batch.items)
      after = batch.items.at(-1)?.cursor ?? after
      if (batch.items.length > 0) this.deps.onCollected()
      else if (this.kept === 0 && !this.isPartly) await this.markEmptied(today)
      if (batch.items.length > 0) continue
      this.isSecondLook = false
      if (this.lookAt === Infinity) this.looks = 0
    }
    return isServed
  }

  private get isToBeginAnew(): boolean {
    return this.isWider || (this.isAnew && this.kept > 0) || this.deps.clock.monotonic() >= this.lookAt
  }

  /** @returns the cursor to fetch from */
  private begin(): number {
    this.isWider = false
    this.kept = 0
    this.lookAt = Infinity
    this.isSecondLook = this.looks > 0
    return 0
  }

  /** Up to this day nothing lies there any more. */
  private async markEmptied(day: number): Promise<void> {
    if (this.emptied === day) return
    await this.deps.store.commit([{ kind: 'setting.put', key: this.setting, value: String(day) }])
    this.emptied = day
  }

  private get setting(): string {
    return `mail-collected ${this.mailbox}`
  }

  /**
   * Shows the relay that the tags are ours: all of them that mail may lie under, each once per stream, those of today first.
   * What it has no room for is tried again at the next look.
   * @returns false when the relay gives no answer that helps
   */
  private async openTags(link: MailboxLink): Promise<boolean> {
    const { store } = this.deps
    // Up to the day before the last that was emptied there is nothing any more, and before this device was made there was nothing.
    const since = Number((await store.setting(this.setting)) ?? dayOf((await store.identity())?.createdAt ?? 0)) - 1
    const missing = (await ownTags(this.deps, since)).filter(({ name }) => !this.opened.has(name))
    const today = dayOf(this.deps.clock.now())
    const wanted = missing.toSorted((a, b) => Math.abs(today - a.day) - Math.abs(today - b.day))
    this.isPartly = false
    for (let at = 0; at < wanted.length; at += MAX_FETCH_RIGHTS) {
      const page = wanted.slice(at, at + MAX_FETCH_RIGHTS)
      const reply = await link.ask({ kind: 'open', rights: page.map((tag) => fetchRight(this.deps, tag, link.challenge)) })
      this.isPartly = reply?.kind === 'refused' && reply.why === 'full'
      if (this.isPartly) return true
      if (reply?.kind !== 'done') return false
      for (const { name } of page) this.opened.add(name)
      this.isWider = true
    }
    return true
  }

  private async takeIn(link: MailboxLink, items: readonly MailItemFields[]): Promise<void> {
    const outcomes = await Promise.all(items.map(({ envelope }) => this.deps.onMail(envelope, this.isSecondLook)))
    const done = items.filter((_, at) => outcomes[at] === 'done').map(({ cursor }) => cursor)
    this.kept += items.length - done.length
    if (outcomes.includes('later') && this.lookAt === Infinity) {
      this.lookAt = this.deps.clock.monotonic() + backoff(this.looks, this.deps.random, LOOK_AGAIN)
      this.looks += 1
    }
    for (let at = 0; at < done.length; at += MAX_FORGOTTEN) void link.ask({ kind: 'forget', cursors: done.slice(at, at + MAX_FORGOTTEN) })
  }
}
