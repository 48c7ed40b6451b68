/** Tokens in hand: fetched from the relays that we are members of, given to contacts, spent where mail is left (MB4, MB11). */
import type { AccountId } from '../ids.ts'
import type { Logger } from '../ports/logger.ts'
import type { Random } from '../ports/random.ts'
import type { Store, StoreWrite } from '../ports/store.ts'
import type { BlindTokens } from '../ports/tokens.ts'
import { MAX_TOKENS_AT_ONCE } from '../wire/limits.ts'
import { type LinkDeps, MailboxLink } from './mailbox-link.ts'

/** With fewer tokens of an own mailbox than this, more are asked for: each contact is given some. */
const LOW_TOKENS = 8

export interface PurseDeps extends LinkDeps {
  readonly store: Store
  readonly random: Random
  readonly logger: Logger
  tokens(): Promise<BlindTokens>
}

export class Purse {
  private readonly deps: PurseDeps
  private last: Promise<unknown> = Promise.resolve()
  private readonly filling = new Map<string, Promise<void>>()

  constructor(deps: PurseDeps) {
    this.deps = deps
  }

  /**
   * One token for mail to an account: one that it has given itself, else one that we have fetched. What others have given may be
   * worth nothing, and is for mail to them. Gone from the store before it is used, so that a crash spends none twice.
   * @returns `undefined` when there is none
   */
  take(mailbox: string, recipient: AccountId): Promise<Uint8Array | undefined> {
    return this.inTurn(async () => {
      const { store } = this.deps
      const [token] = [...(await store.tokens(mailbox, recipient, 1)), ...(await store.tokens(mailbox, null, 1))]
      if (token !== undefined) await store.commit([{ kind: 'token.remove', token }])
      return token
    })
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

  private async fillNow(mailbox: string, signal: AbortSignal): Promise<void> {
    const { store } = this.deps
    if ((await store.tokens(mailbox, null, LOW_TOKENS)).length >= LOW_TOKENS) return
    // The key is asked for in disguise: one made for us alone would show whose tokens are spent (RFC 9576 §6.1).
    const disguised = await MailboxLink.open(this.deps, { url: mailbox, disguise: 'key', signal })
    disguised?.close()
    const member = disguised === undefined ? undefined : await MailboxLink.open(this.deps, { url: mailbox, signal })
    if (disguised === undefined || member === undefined) return
    try {
      await this.order(mailbox, member, disguised.tokenKey)
    } finally {
      member.close()
    }
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
