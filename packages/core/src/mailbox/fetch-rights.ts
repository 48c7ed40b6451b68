/** The tags under which mail may lie for us, and the keys that prove that they are ours (MB3). */
import type { ContactBook } from '../contacts/index.ts'
import { dayOf, fetchSeed } from '../e2ee/delivery-tags.ts'
import { accountDigest } from '../ids.ts'
import { inviteHash } from '../identity/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Store } from '../ports/store.ts'
import type { FetchRightFields } from '../wire/mailbox.ts'
import { sign } from '../wire/signed.ts'

/** Mail lives 30 days, and may be left by a clock that is a day behind. */
const DAYS_BACK = 31
const MS_PER_DAY = 86_400_000

export interface FetchRightsDeps {
  readonly book: ContactBook
  readonly store: Pick<Store, 'invites'>
  readonly clock: Clock
  readonly primitives: Primitives
  /** 32 bytes. */
  readonly fetchSecret: Uint8Array
}

export interface OwnTag {
  /** Of whom and which day: one name for one tag. */
  readonly name: string
  readonly sender: Uint8Array
  readonly day: number
}

/** Tags of the days from `since` (at most a month ago) to tomorrow, of everybody who may write. */
export async function ownTags({ book, store, clock, primitives }: FetchRightsDeps, since: number): Promise<readonly OwnTag[]> {
  const now = clock.now()
  const today = dayOf(now)
  const contacts = book.everyone().filter(({ blocked, state }) => !blocked && state !== 'requested')
  const invites = (await store.invites()).filter(({ revoked, expiresAt }) => !revoked && now < expiresAt + DAYS_BACK * MS_PER_DAY)
  const senders = [...contacts.map(({ account }) => accountDigest(account)), ...invites.map(({ secret }) => inviteHash(primitives, secret))]
  // A day that is still to come was noted by a clock that was wrong: it says nothing.
  const first = since > today ? today - DAYS_BACK : Math.max(today - DAYS_BACK, Math.min(today - 1, since))
  const days = Array.from({ length: today + 2 - first }, (_, at) => first + at)
  return senders.flatMap((sender) => days.map((day) => ({ name: `${sender.join()} ${day}`, sender, day })))
}

/** What shows that a tag is ours. */
export function fetchRight({ primitives, fetchSecret }: FetchRightsDeps, { sender, day }: OwnTag, challenge: Uint8Array): FetchRightFields {
  const seed = fetchSeed(primitives, fetchSecret, { sender, day })
  const { signature } = sign(primitives, 'skein fetch right v1', { statement: challenge, seed })
  return { fetchKey: primitives.ed25519PublicKey(seed), signature }
}
