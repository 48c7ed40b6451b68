import type { Random } from './random.ts'

/** Tokens that were asked for, and what is needed to take them out of the issuer's answer. */
export interface TokenOrder {
  /** 49 bytes each, to be sent to the issuer. */
  readonly blinded: readonly Uint8Array[]
  /**
   * The tokens, 146 bytes each; the issuer cannot tell which of its answers one came from.
   * @throws SkeinError TOKEN_FORGED when they were not made with the key that was named
   */
  finish(evaluated: readonly Uint8Array[], proof: Uint8Array): readonly Uint8Array[]
}

/** The client's side of blind tokens (RFC 9578, type 1). */
export interface BlindTokens {
  /** @param issuer name of the relay, its peer id; @param key its token key, 49 bytes @throws SkeinError TOKEN_FORGED for a key that is none */
  order(random: Random, want: { readonly issuer: string; readonly key: Uint8Array; readonly count: number }): TokenOrder
}

/** The relay's side. */
export interface TokenIssuer {
  /** With which tokens are issued now, 49 bytes. */
  publicKey(): Uint8Array
  /** @throws SkeinError TOKEN_FORGED for what is no element of the group */
  issue(blinded: readonly Uint8Array[]): { readonly evaluated: readonly Uint8Array[]; readonly proof: Uint8Array }
  /** Whether this relay has issued the token lately, and until when it must be remembered that it was spent; else `undefined`. */
  check(token: Uint8Array): { readonly nonce: Uint8Array; readonly until: number } | undefined
}
