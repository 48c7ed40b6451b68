/** Tokens in hand: fetched from the relays that we are members of, given to contacts, spent where mail is left (MB4, MB11). */
import type { AccountId } from '../ids.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Store, StoreWrite } from '../ports/store.ts'
import type { BlindTokens } from '../ports/tokens.ts'
import { sameBytes } from '../wire/codec.ts'
import { MAX_TOKENS_AT_ONCE } from '../wire/limits.ts'
import { tokenKeyId } from '../wire/mailbox.ts'
import { type LinkDeps, MailboxLink } from './mailbox-link.ts'

/** With fewer tokens of an own mailbox than this, more are asked for: each contact is given some. */
const LOW_TOKENS = 16
/** Tokens that are looked at: as many as are held of one account. */
const MAX_HELD = 512
/** A key is asked for anew after so long, milliseconds: relays change theirs every few weeks, or come back with another one. */
const KEY_FRESH_MS = 6 * 3_600_000
/** A mailbox that gave none when there was none left is asked again after so long, milliseconds. */
const DRY_RETRY_MS = 60_000

export interface PurseDeps extends LinkDeps {
  readonly store: Store
  readonly random: Random
  readonly logger: Logger
  readonly primitives: Primitives
  tokens(): Promise<BlindTokens>
}

/** A token, and whose it was: null for one that we have fetched. */
export interface HeldToken {
  readonly token: Uint8Array
  readonly giver: AccountId | null
}

export class Purse {
  private readonly deps: PurseDeps
  private last: Promise<unknown> = Promise.resolve()
  private readonly filling = new Map<string, Promise<void>>()
  /** With which key each mailbox makes tokens, by its digest, and when that was asked, monotonic milliseconds. */
  private readonly keys = new Map<string, { readonly id: Uint8Array; readonly at: number }>()
  private readonly dryAt = new Map<string, number>()

  constructor(deps: PurseDeps) {
    this.deps = deps
  }

  /**
   * One token for mail to an account: one that it has given itself, else one that we have fetched. What others have given may be
   * worth nothing, and is for mail to them. Gone from the store before it is used, so that a crash spends none twice.
   * @returns `undefined` when there is none
   */
  take(mailbox: string, recipient: AccountId): Promise<HeldToken | undefined> {
    return this.inTurn(async () => {
      const { store } = this.deps
      for (const giver of [recipient, null]) {
        const [token] = await store.tokens(mailbox, giver, 1)
        if (token === undefined) continue
        await store.commit([{ kind: 'token.remove', token }])
        return { token, giver }
      }
      return undefined
    })
  }

  /** The mailbox does not know the key of this token, any more: all that its giver has made with that key go (MB20). */
  dropLike(mailbox: string, { token, giver }: HeldToken): Promise<void> {
    return this.inTurn(async () => {
      this.keys.delete(mailbox)
      await this.drop(mailbox, giver, (each) => sameBytes(tokenKeyId(each), tokenKeyId(token)))
    })
  }

  private async drop(mailbox: string, giver: AccountId | null, isBad: (token: Uint8Array) => boolean): Promise<void> {
    const { store } = this.deps
    const bad = (await store.tokens(mailbox, giver, MAX_HELD)).filter(isBad)
    if (bad.length > 0) await store.commit(bad.map((token) => ({ kind: 'token.remove', token })))
  }

  /** Hands up to `count` tokens that we have fetched to `use`, which commits their removal with what it does. */
  give<T>(mailbox: string, count: number, use: (tokens: readonly Uint8Array[], beside: readonly StoreWrite[]) => Promise<T>): Promise<T> {
    return this.inTurn(async () => {
      const tokens = await this.deps.store.tokens(mailbox, null, count)
      return use(
        tokens,
        tokens.map((token) => ({ kind: 'token.remove', token })),
      )
    })
  }

  /** Sees to it that there are enough tokens of an own mailbox; does nothing while its relay is away. Never throws. */
  fill(mailbox: string, signal: AbortSignal): Promise<void> {
    const running = this.filling.get(mailbox)
    if (running !== undefined) return running
    const filling = this.fillNow(mailbox, signal)
      .catch((error: unknown) => this.deps.logger.warn('no-tokens', { reason: String(error) }))
      .finally(() => this.filling.delete(mailbox))
    this.filling.set(mailbox, filling)
    return filling
  }

  /** For mail that waits for a token: as `fill`, and seldom while that brings none. */
  async fillDry(mailbox: string, signal: AbortSignal): Promise<void> {
    const now = this.deps.clock.monotonic()
    if (now - (this.dryAt.get(mailbox) ?? Number.NEGATIVE_INFINITY) < DRY_RETRY_MS) return
    this.dryAt.set(mailbox, now)
    await this.fill(mailbox, signal)
  }

  /** A mailbox has another key than before: it is asked for, the next time that tokens are wanted. */
  forgetKey(mailbox: string): void {
    this.keys.delete(mailbox)
  }

  private async fillNow(mailbox: string, signal: AbortSignal): Promise<void> {
    const known = this.keys.get(mailbox)
    const isFresh = known !== undefined && this.deps.clock.monotonic() - known.at < KEY_FRESH_MS
    if (isFresh && (await this.hasEnough(mailbox))) return
    // The key is asked for in disguise: one made for us alone would show whose tokens are spent (RFC 9576 §6.1).
    const disguised = await MailboxLink.open(this.deps, { url: mailbox, disguise: 'key', signal })
    disguised?.close()
    if (disguised === undefined) return
    await this.keepThoseOf(mailbox, disguised.tokenKey)
    const member = (await this.hasEnough(mailbox)) ? undefined : await MailboxLink.open(this.deps, { url: mailbox, signal })
    try {
      if (member !== undefined) await this.order(mailbox, member, disguised.tokenKey)
    } finally {
      member?.close()
    }
  }

  private async hasEnough(mailbox: string): Promise<boolean> {
    return (await this.deps.store.tokens(mailbox, null, LOW_TOKENS)).length >= LOW_TOKENS
  }

  /** Own tokens of other keys are worth nothing, or soon: contacts are to keep theirs for weeks (MB20). */
  private async keepThoseOf(mailbox: string, key: Uint8Array): Promise<void> {
    const id = this.deps.primitives.sha256(key)
    await this.inTurn(() => this.drop(mailbox, null, (token) => !sameBytes(tokenKeyId(token), id)))
    this.keys.set(mailbox, { id, at: this.deps.clock.monotonic() })
  }

  /** @throws SkeinError TOKEN_FORGED */
  private async order(mailbox: string, link: MailboxLink, key: Uint8Array): Promise<void> {
    const { random, store } = this.deps
    const tokens = await this.deps.tokens()
    const order = tokens.order(random, { issuer: link.relay, key, count: MAX_TOKENS_AT_ONCE })
    const reply = await link.ask({ kind: 'tokens', blinded: order.blinded })
    if (reply?.kind !== 'issued') return
    const made = order.finish(reply.evaluated, reply.proof)
    await store.commit(made.map((token) => ({ kind: 'token.put', mailbox, token, giver: null })))
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work)
    this.last = done.catch(() => undefined)
    return done
  }
}
