/** A relay's mailbox: answers `/skein/mailbox/1` on a store. It learns tags, sizes and times, and nobody's name. */
import { hex } from '@scure/base'
import { tagOfFetchKey } from '../e2ee/delivery-tags.ts'
import { isSkeinError, SkeinError } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { MailboxStore } from '../ports/mailbox-store.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Channel } from '../ports/swarm.ts'
import type { TokenIssuer } from '../ports/tokens.ts'
import { MAX_FRAME_BYTES } from '../wire/limits.ts'
import {
  decodeMailboxRequest,
  encodeMailboxReply,
  encodeMailReceipt,
  type FetchRightFields,
  type MailboxReplyFields,
  type MailboxRefusal,
  type MailboxRequestFields,
} from '../wire/mailbox.ts'
import { decodeEnvelope } from '../wire/sealed.ts'
import { isSignedBy, sign } from '../wire/signed.ts'
import { DailyRoom } from './daily-room.ts'
import { DepositBatches } from './batches.ts'
import { MAILBOX_BOUNDS, type MailboxBounds, MAX_WATCHED, TAGS_PER_UNIT, UNITS_PER_TOKEN, WorkPace } from './bounds.ts'
import { MAIL_OVERHEAD_BYTES, type MailboxLimits, MAX_MAIL_STAY_MS } from './rules.ts'
import { MailboxSession } from './session.ts'
import { AwaitedShares, type Origin, Shares } from './shares.ts'
import { Watch, Watches } from './watches.ts'

const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 86_400_000
/** Longest wait of a fetch that finds nothing, milliseconds: below the time-outs of home routers. */
export const MAX_WAIT_MS = 50_000
/** Rights that are checked in one go: some milliseconds. */
const RIGHTS_AT_ONCE = 32
/** Tokens for one member a day (MB4). */
export const TOKENS_PER_DAY = 512
/** Bytes of a reply that hold mail: the rest of a frame is for its fields. */
const BATCH_BYTES = MAX_FRAME_BYTES - 64

export interface MailboxServiceDeps {
  readonly store: MailboxStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly primitives: Primitives
  readonly issuer: TokenIssuer
  /** Ed25519 seed of the relay: signs that something is stored. 32 bytes. */
  readonly seed: Uint8Array
  readonly limits: MailboxLimits
  /** Checks rights to fetch; `primitives` without it. A tag is a hash of its very key, so even a weak key opens nobody else's. */
  readonly rightVerifier?: Pick<Primitives, 'ed25519Verify'>
  /** Who may have tokens. */
  isMember(peer: DeviceId): boolean
  /** Asked each time, as they may change; `MAILBOX_BOUNDS` without it. */
  bounds?(): MailboxBounds
  /** Somebody was turned away, or made to wait, at a bound. */
  onBound?(what: MailboxBound): void
  /** A request could not be read, or replies are not taken. */
  onOffence?(what: 'malformed' | 'unread'): void
  /** Mail of so many bytes comes or goes; 0 only asks. @returns ms to wait before it, infinite for not at all */
  pace?(origin: Origin, bytes: number): number
}

export type MailboxBound = 'mail-streams' | 'mail-tags' | 'mail-work'

/** What is spent on all streams together. */
export interface MailboxUse {
  readonly streams: number
  readonly tags: number
  readonly bytes: number
}

type FetchFields = Extract<MailboxRequestFields, { readonly kind: 'fetch' }>

export class MailboxService {
  private readonly deps: MailboxServiceDeps
  private readonly batches: DepositBatches
  private readonly watches = new Watches()
  private readonly streams: Shares
  private readonly tags: Shares
  /** Of requests, and of mail on its way out: apart, as a request may wait for the latter. */
  private readonly bytes: AwaitedShares
  private readonly batchBytes: AwaitedShares
  private readonly work: WorkPace
  private readonly room: DailyRoom

  constructor(deps: MailboxServiceDeps) {
    this.deps = deps
    this.batches = new DepositBatches(deps.store, deps)
    this.work = new WorkPace(deps.clock)
    this.room = new DailyRoom(deps.clock, deps.limits)
    const bounds = (): MailboxBounds => deps.bounds?.() ?? MAILBOX_BOUNDS
    this.streams = new Shares(() => bounds().streams)
    this.tags = new Shares(() => bounds().tags)
    this.bytes = new AwaitedShares(deps.clock, () => bounds().bytes)
    this.batchBytes = new AwaitedShares(deps.clock, () => bounds().bytes)
  }

  use(): MailboxUse {
    return { streams: this.streams.total, tags: this.tags.total, bytes: this.bytes.total + this.batchBytes.total }
  }

  /** Serves one stream until it closes; at once where its origin has as many as it may. */
  async serve(channel: Channel, origin: Origin = { connection: channel.peer }): Promise<void> {
    if (!this.streams.take(origin, 1)) {
      this.deps.onBound?.('mail-streams')
      channel.close()
      return
    }
    const { clock, random } = this.deps
    const { bytes } = this
    const onUnread = (): void => this.deps.onOffence?.('unread')
    const session = new MailboxSession({ channel, origin, clock, bytes, onUnread, challenge: random.bytes(32), watch: new Watch(clock) })
    try {
      await session.run((frame, release) => this.answer(session, frame, release))
    } finally {
      this.tags.give(origin, session.watch.tags.length)
      this.watches.end(session.watch)
      this.streams.give(origin, 1)
    }
  }

  private async answer(session: MailboxSession, bytes: Uint8Array, release: () => void): Promise<void> {
    let number = 0
    try {
      const { number: named, body } = decodeMailboxRequest(bytes)
      number = named
      if (body.kind === 'fetch') {
        release()
        await this.fetch(session, { number, body })
      } else await session.send(encodeMailboxReply(number, await this.reply(session, body)))
    } catch (error) {
      session.offences += 1
      if (isSkeinError(error, 'BAD_FRAME')) this.deps.onOffence?.('malformed')
      const why: MailboxRefusal = isSkeinError(error, 'TOKEN_FORGED') ? 'token-refused' : isSkeinError(error) ? 'bad-frame' : 'full'
      this.deps.logger.debug('mailbox-refused', { why, reason: isSkeinError(error) ? error.code : String(error) })
      await session.send(encodeMailboxReply(number, { kind: 'refused', why }))
    }
  }

  private async pay(session: MailboxSession, units: number): Promise<void> {
    const isFree = units === 0 || (await this.work.charge(session.origin, units))
    if (!isFree) this.deps.onBound?.('mail-work')
  }

  /** Resolves when so many bytes may pass; `false` when none may. */
  private async carry({ origin }: MailboxSession, bytes: number): Promise<boolean> {
    const ms = this.deps.pace?.(origin, bytes) ?? 0
    if (ms > 0 && Number.isFinite(ms)) await this.deps.clock.sleep(ms)
    return Number.isFinite(ms)
  }

  private reply(
    session: MailboxSession,
    body: Exclude<MailboxRequestFields, FetchFields>,
  ): Promise<MailboxReplyFields> | MailboxReplyFields {
    switch (body.kind) {
      case 'hello':
        return { kind: 'welcome', challenge: session.challenge, tokenKey: this.deps.issuer.publicKey() }
      case 'deposit':
        return this.deposit(session, body)
      case 'open':
        return this.open(session, body.rights)
      case 'forget':
        return this.forget(session, body.cursors)
      case 'tokens':
        return this.issue(session, body.blinded)
    }
  }

  /** @throws SkeinError BAD_FRAME, TOKEN_FORGED */
  private async deposit(
    session: MailboxSession,
    { envelope, token }: { envelope: Uint8Array; token: Uint8Array },
  ): Promise<MailboxReplyFields> {
    const { clock, primitives, issuer } = this.deps
    const { deliveryTag, expiryHour } = decodeEnvelope(envelope)
    const storedAt = clock.now()
    const expiresAt = expiryHour * MS_PER_HOUR
    if (expiresAt <= storedAt || expiresAt > storedAt + MAX_MAIL_STAY_MS) return { kind: 'refused', why: 'expired' }
    if (!(await this.carry(session, envelope.length))) return { kind: 'refused', why: 'full' }
    if (token.length > 0) await this.pay(session, UNITS_PER_TOKEN)
    const checked = token.length === 0 ? undefined : issuer.check(token)
    if (token.length > 0 && checked === undefined) throw new SkeinError('TOKEN_FORGED', 'A token was not issued here, or too long ago.')
    const digest = primitives.sha256(envelope)
    const tag = hex.encode(deliveryTag)
    const bytes = envelope.length + MAIL_OVERHEAD_BYTES
    const mayStore = (totalBytes: number): boolean => this.room.allows(session.origin, bytes, totalBytes)
    const verdict = await this.batches.add({ tag, envelope, digest, storedAt, expiresAt, token: checked }, mayStore)
    if (verdict.kind === 'refuse') {
      if (verdict.why === 'token-spent') session.offences += 1
      return { kind: 'refused', why: verdict.why }
    }
    if (verdict.kind === 'store') {
      this.room.take(session.origin, bytes)
      this.watches.arrived(tag)
    }
    return { kind: 'stored', storedAt, expiresAt, signature: this.signature({ envelopeDigest: digest, storedAt, expiresAt }) }
  }

  private signature(receipt: { readonly envelopeDigest: Uint8Array; readonly storedAt: number; readonly expiresAt: number }): Uint8Array {
    const { primitives, seed } = this.deps
    return sign(primitives, 'skein mail receipt v1', { statement: encodeMailReceipt(receipt), seed }).signature
  }

  /** The right to fetch and delete is to be able to sign with the key behind the tag (MB3). */
  private async open(session: MailboxSession, rights: readonly FetchRightFields[]): Promise<MailboxReplyFields> {
    await this.pay(session, rights.length)
    for (const [at, right] of rights.entries()) {
      // Others get their turn in between.
      if (at > 0 && at % RIGHTS_AT_ONCE === 0) await this.deps.clock.sleep(0)
      const why = this.openOne(session, right)
      if (why === 'not-yours') session.offences += 1
      if (why !== undefined) return { kind: 'refused', why }
    }
    // There are more tags to watch now: whoever waits is to ask again.
    session.watch.wake()
    return { kind: 'done' }
  }

  private openOne({ watch, challenge, origin }: MailboxSession, { fetchKey, signature }: FetchRightFields): MailboxRefusal | undefined {
    const { primitives, rightVerifier } = this.deps
    const signed = { statement: challenge, signature }
    if (!isSignedBy(rightVerifier ?? primitives, 'skein fetch right v1', { signed, key: fetchKey })) return 'not-yours'
    const tag = hex.encode(tagOfFetchKey(primitives, fetchKey))
    if (this.watches.isWatching(watch, tag)) return undefined
    if (watch.isOver || watch.tags.length >= MAX_WATCHED || !this.tags.take(origin, 1)) {
      this.deps.onBound?.('mail-tags')
      return 'full'
    }
    this.watches.add(watch, tag)
    return undefined
  }

  /** One at a time for each stream: another one ends the wait of the one before it. */
  private fetch(session: MailboxSession, request: { readonly number: number; readonly body: FetchFields }): Promise<void> {
    session.watch.wake()
    return session.inTurn(() => this.fetchNow(session, request))
  }

  private async fetchNow(
    session: MailboxSession,
    { number, body }: { readonly number: number; readonly body: FetchFields },
  ): Promise<void> {
    const { watch } = session
    const from = watch.now
    if (!(await this.carry(session, 0))) {
      // Held back for as long as it would have waited: who is told at once asks again at once. An empty batch would be a lie.
      await watch.wait(from, Math.min(body.waitMs, MAX_WAIT_MS))
      return session.send(encodeMailboxReply(number, { kind: 'refused', why: 'full' }))
    }
    if (await this.sendBatch(session, { number, body, isLast: body.waitMs === 0 })) return
    if (!session.isAwaited) await watch.wait(from, Math.min(body.waitMs, MAX_WAIT_MS))
    await this.sendBatch(session, { number, body, isLast: true })
  }

  /** @returns whether it was answered: with nothing only at the last look */
  private async sendBatch(
    session: MailboxSession,
    { number, body, isLast }: { readonly number: number; readonly body: FetchFields; readonly isLast: boolean },
  ): Promise<boolean> {
    const { tags } = session.watch
    await this.pay(session, Math.floor(tags.length / TAGS_PER_UNIT))
    if (!(await this.batchBytes.take(session.origin, BATCH_BYTES))) throw new Error('too much mail is on its way')
    try {
      const { store, clock } = this.deps
      const items = await store.fetch({ tags, after: body.after, limit: Math.max(1, body.limit), maxBytes: BATCH_BYTES, now: clock.now() })
      if (items.length === 0 && !isLast) return false
      await this.carry(
        session,
        items.reduce((sum, { envelope }) => sum + envelope.length, 0),
      )
      await session.send(encodeMailboxReply(number, { kind: 'batch', items }))
      return true
    } finally {
      this.batchBytes.give(session.origin, BATCH_BYTES)
    }
  }

  private async forget(session: MailboxSession, cursors: readonly number[]): Promise<MailboxReplyFields> {
    const { tags } = session.watch
    await this.pay(session, Math.floor(tags.length / TAGS_PER_UNIT))
    await this.deps.store.forget(tags, cursors)
    return { kind: 'done' }
  }

  /** @throws SkeinError TOKEN_FORGED */
  private async issue({ channel }: MailboxSession, blinded: readonly Uint8Array[]): Promise<MailboxReplyFields> {
    const { store, clock, issuer, isMember } = this.deps
    if (!isMember(channel.peer)) return { kind: 'refused', why: 'no-member' }
    const want = { count: blinded.length, most: TOKENS_PER_DAY }
    const granted = await store.grant(channel.peer, Math.floor(clock.now() / MS_PER_DAY), want)
    if (granted === 0 || granted < blinded.length) return { kind: 'refused', why: 'quota' }
    return { kind: 'issued', ...issuer.issue(blinded) }
  }
}
