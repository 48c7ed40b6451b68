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
import { DepositBatches } from './batches.ts'
import { type MailboxLimits, MAX_MAIL_STAY_MS } from './rules.ts'
import { type Wait, Waiters } from './waiters.ts'

export const MAILBOX_PROTOCOL = '/skein/mailbox/1'
const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 86_400_000
/** Longest wait of a fetch that finds nothing, milliseconds: below the time-outs of home routers. */
export const MAX_WAIT_MS = 50_000
/** Tags that one stream may watch: a year of contacts for a month of days. */
const MAX_WATCHED = 32_768
/** Requests of one stream that are answered at once; the next is read when one is done. */
const MAX_AT_ONCE = 256
/** Refused requests after which a stream is closed (MB9). */
const MAX_OFFENCES = 16
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
  /** Who may have tokens. */
  isMember(peer: DeviceId): boolean
}

interface Session {
  readonly channel: Channel
  readonly challenge: Uint8Array
  readonly tags: Set<string>
  /** Fetches that wait. */
  readonly waits: Set<Wait>
  offences: number
}

export class MailboxService {
  private readonly deps: MailboxServiceDeps
  private readonly batches: DepositBatches
  private readonly waiters: Waiters

  constructor(deps: MailboxServiceDeps) {
    this.deps = deps
    this.batches = new DepositBatches(deps.store, deps)
    this.waiters = new Waiters(deps.clock)
  }

  /** Serves one stream until it closes. */
  async serve(channel: Channel): Promise<void> {
    const session: Session = { channel, challenge: this.deps.random.bytes(32), tags: new Set(), waits: new Set(), offences: 0 }
    let running = 0
    let roomWanted = (): void => undefined
    for await (const bytes of channel.frames()) {
      running += 1
      void this.answer(session, bytes).finally(() => {
        running -= 1
        roomWanted()
      })
      if (running >= MAX_AT_ONCE) await new Promise<void>((resolve) => (roomWanted = resolve))
      if (session.offences >= MAX_OFFENCES) break
    }
    channel.close()
  }

  private async answer(session: Session, bytes: Uint8Array): Promise<void> {
    let number = 0
    try {
      const request = decodeMailboxRequest(bytes)
      ;({ number } = request)
      await session.channel.send(encodeMailboxReply(number, await this.reply(session, request.body)))
    } catch (error) {
      session.offences += 1
      const why: MailboxRefusal = isSkeinError(error, 'TOKEN_FORGED') ? 'token-refused' : isSkeinError(error) ? 'bad-frame' : 'full'
      this.deps.logger.debug('mailbox-refused', { why, reason: isSkeinError(error) ? error.code : String(error) })
      await session.channel.send(encodeMailboxReply(number, { kind: 'refused', why }))
    }
  }

  private reply(session: Session, body: MailboxRequestFields): Promise<MailboxReplyFields> | MailboxReplyFields {
    switch (body.kind) {
      case 'hello':
        return { kind: 'welcome', challenge: session.challenge, tokenKey: this.deps.issuer.publicKey() }
      case 'deposit':
        return this.deposit(session, body)
      case 'open':
        return this.open(session, body.rights)
      case 'fetch':
        return this.fetch(session, body)
      case 'forget':
        return this.forget(session, body.cursors)
      case 'tokens':
        return this.issue(session, body.blinded)
    }
  }

  /** @throws SkeinError BAD_FRAME, TOKEN_FORGED */
  private async deposit(session: Session, { envelope, token }: { envelope: Uint8Array; token: Uint8Array }): Promise<MailboxReplyFields> {
    const { clock, primitives, issuer } = this.deps
    const { deliveryTag, expiryHour } = decodeEnvelope(envelope)
    const storedAt = clock.now()
    const expiresAt = expiryHour * MS_PER_HOUR
    if (expiresAt <= storedAt || expiresAt > storedAt + MAX_MAIL_STAY_MS) return { kind: 'refused', why: 'expired' }
    const checked = token.length === 0 ? undefined : issuer.check(token)
    if (token.length > 0 && checked === undefined) throw new SkeinError('TOKEN_FORGED', 'A token was not issued here, or too long ago.')
    const digest = primitives.sha256(envelope)
    const tag = hex.encode(deliveryTag)
    const verdict = await this.batches.add({ tag, envelope, digest, storedAt, expiresAt, token: checked })
    if (verdict.kind === 'refuse') {
      if (verdict.why === 'token-spent') session.offences += 1
      return { kind: 'refused', why: verdict.why }
    }
    if (verdict.kind === 'store') this.waiters.arrived(tag)
    return { kind: 'stored', storedAt, expiresAt, signature: this.signature({ envelopeDigest: digest, storedAt, expiresAt }) }
  }

  private signature(receipt: { readonly envelopeDigest: Uint8Array; readonly storedAt: number; readonly expiresAt: number }): Uint8Array {
    const { primitives, seed } = this.deps
    return sign(primitives, 'skein mail receipt v1', { statement: encodeMailReceipt(receipt), seed }).signature
  }

  /** The right to fetch and delete is to be able to sign with the key behind the tag (MB3). */
  private open(session: Session, rights: readonly FetchRightFields[]): MailboxReplyFields {
    const { primitives } = this.deps
    for (const { fetchKey, signature } of rights) {
      const signed = { statement: session.challenge, signature }
      const isOwn = session.tags.size < MAX_WATCHED && isSignedBy(primitives, 'skein fetch right v1', { signed, key: fetchKey })
      if (!isOwn) {
        session.offences += 1
        return { kind: 'refused', why: 'not-yours' }
      }
      session.tags.add(hex.encode(tagOfFetchKey(primitives, fetchKey)))
    }
    // There are more tags to watch now: whoever waits is to ask again.
    for (const wait of session.waits) wait.cut()
    return { kind: 'done' }
  }

  private async fetch(
    { tags, waits }: Session,
    { after, limit, waitMs }: { readonly after: number; readonly limit: number; readonly waitMs: number },
  ): Promise<MailboxReplyFields> {
    const look = async () =>
      this.deps.store.fetch({ tags: [...tags], after, limit: Math.max(1, limit), maxBytes: BATCH_BYTES, now: this.deps.clock.now() })
    const wait = this.waiters.begin(tags)
    waits.add(wait)
    try {
      const items = await look()
      if (items.length > 0 || waitMs === 0) return { kind: 'batch', items }
      await wait.until(Math.min(waitMs, MAX_WAIT_MS))
      return { kind: 'batch', items: await look() }
    } finally {
      waits.delete(wait)
      wait.end()
    }
  }

  private async forget({ tags }: Session, cursors: readonly number[]): Promise<MailboxReplyFields> {
    await this.deps.store.forget([...tags], cursors)
    return { kind: 'done' }
  }

  /** @throws SkeinError TOKEN_FORGED */
  private async issue({ channel }: Session, blinded: readonly Uint8Array[]): Promise<MailboxReplyFields> {
    const { store, clock, issuer, isMember } = this.deps
    if (!isMember(channel.peer)) return { kind: 'refused', why: 'no-member' }
    const want = { count: blinded.length, most: TOKENS_PER_DAY }
    const granted = await store.grant(channel.peer, Math.floor(clock.now() / MS_PER_DAY), want)
    if (granted === 0 || granted < blinded.length) return { kind: 'refused', why: 'quota' }
    return { kind: 'issued', ...issuer.issue(blinded) }
  }
}
