/** What a mailbox takes (MB1 to MB5): pure, so that every store decides alike. */
import type { BoxState, BoxVerdict, MailDeposit } from '../ports/mailbox-store.ts'

/** Deposits that one token pays for: a lively conversation of a day costs a few. */
export const DEPOSITS_PER_TOKEN = 64
/** Envelopes under one tag: one sender, one device, one day. */
export const MAX_TAG_ENVELOPES = 4_096
/** Bytes under one tag: pictures and pieces of files too. */
export const MAX_TAG_BYTES = 16 * 1_024 * 1_024
/** All mail together, unless configured; the largest part of a small disk. */
export const MAX_MAIL_BYTES = 2 * 1_024 * 1_024 * 1_024
/** Charged for each envelope beside its bytes: rows and indexes. */
export const MAIL_OVERHEAD_BYTES = 256
/** Once so much of the room is taken, each tag has only its small share: who fills it hinders nobody else (MB5). */
const CROWDED_SHARE = 0.8
/** Share of a tag then: some twenty messages. */
export const CROWDED_TAG_BYTES = 32_768
/** Longest stay, milliseconds (MB6): what is dated later is not taken. 30 days, a day for clocks that are ahead, and full hours. */
export const MAX_MAIL_STAY_MS = 31 * 86_400_000 + 2 * 3_600_000

export interface MailboxLimits {
  readonly maxBytes: number
}

export function judgeDeposit(
  { token, envelope }: Pick<MailDeposit, 'token' | 'envelope'>,
  state: BoxState,
  { maxBytes }: MailboxLimits,
): BoxVerdict {
  // What lies there is acknowledged again and costs nothing: a reply may have been lost.
  if (state.known) return { kind: 'repeat' }
  const charge = envelope.length + MAIL_OVERHEAD_BYTES
  if (state.totalBytes + charge > maxBytes) return { kind: 'refuse', why: 'full' }
  const share = state.totalBytes > maxBytes * CROWDED_SHARE ? CROWDED_TAG_BYTES : MAX_TAG_BYTES
  if (state.count >= MAX_TAG_ENVELOPES || state.bytes + charge > share) return { kind: 'refuse', why: 'tag-full' }
  if (state.allowance > 0) return { kind: 'store', allowance: state.allowance - 1 }
  if (token === undefined) return { kind: 'refuse', why: 'token-wanted' }
  if (state.spent) return { kind: 'refuse', why: 'token-spent' }
  return { kind: 'store', allowance: DEPOSITS_PER_TOKEN - 1 }
}
