/** What a mailbox keeps: sealed mail under tags, and how much room each tag has. It knows nobody. */

export interface MailDeposit {
  /** Delivery tag, 32 hexadecimal digits. */
  readonly tag: string
  readonly envelope: Uint8Array
  /** SHA-256 of the envelope. */
  readonly digest: Uint8Array
  readonly storedAt: number
  readonly expiresAt: number
  /** A token that was checked; its nonce counts once until then. */
  readonly token: { readonly nonce: Uint8Array; readonly until: number } | undefined
}

/** What is known where a deposit wants to go. */
export interface BoxState {
  /** This very envelope lies there already. */
  readonly known: boolean
  /** The token has been spent before. */
  readonly spent: boolean
  /** Deposits that earlier tokens still pay for. */
  readonly allowance: number
  /** Under this tag. */
  readonly count: number
  readonly bytes: number
  /** Of all mail together. */
  readonly totalBytes: number
}

export type BoxVerdict =
  | { readonly kind: 'store' /** What the tag's allowance is then. */; readonly allowance: number }
  /** It lies there already: nothing changes. */
  | { readonly kind: 'repeat' }
  | { readonly kind: 'refuse'; readonly why: 'token-wanted' | 'token-spent' | 'tag-full' | 'full' }

export interface MailQuery {
  readonly tags: readonly string[]
  readonly after: number
  readonly limit: number
  readonly maxBytes: number
  readonly now: number
}

export interface StoredMail {
  /** Rises with each deposit; never used twice. */
  readonly cursor: number
  readonly envelope: Uint8Array
}

export interface MailboxStore {
  /** Judges and applies each deposit in turn; durable when it resolves, all of them in one transaction. */
  deposit(batch: readonly MailDeposit[], judge: (deposit: MailDeposit, state: BoxState) => BoxVerdict): Promise<readonly BoxVerdict[]>
  /** Mail under the tags, in order of its cursors; at least one if there is any, then as many as fit. */
  fetch(query: MailQuery): Promise<readonly StoredMail[]>
  /** Deletes what lies under one of the tags; other cursors are left alone. */
  forget(tags: readonly string[], cursors: readonly number[]): Promise<void>
  /** Counts tokens issued to a peer on a day. @returns how many of `count` it may have, `most` a day */
  grant(peer: string, day: number, want: { readonly count: number; readonly most: number }): Promise<number>
  /** Removes what has expired. */
  sweep(now: number): Promise<void>
  totals(): Promise<{ readonly envelopes: number; readonly bytes: number }>
}
