/** What a list of conversations shows: the newest message of each contact, and how many the user has not seen. */
import { SkeinError } from '../errors/index.ts'
import type { AccountId, MessageId } from '../ids.ts'
import type { Store, StoredContact, StoredMessage } from '../ports/store.ts'

/** Unread messages are counted up to this number: beyond it nobody counts, and a list must not read all of history. */
export const MAX_UNREAD = 999

export interface Conversation {
  readonly contact: StoredContact
  readonly last: StoredMessage | null
  /** 0 to MAX_UNREAD. */
  readonly unread: number
}

const markOf = (account: AccountId): string => `seen.${account}`

/** The latest conversation first; contacts without a message last, by name. */
export async function listConversations(store: Store, contacts: readonly StoredContact[]): Promise<readonly Conversation[]> {
  const all = await Promise.all(
    contacts.map(async (contact): Promise<Conversation> => {
      const [last = null] = await store.history(contact.account, { limit: 1 })
      return { contact, last, unread: await countUnread(store, contact.account) }
    }),
  )
  return all.sort((a, b) => (b.last?.hlcMs ?? 0) - (a.last?.hlcMs ?? 0) || a.contact.petname.localeCompare(b.contact.petname))
}

/** The last message that the user has seen. */
export async function seenMark(store: Pick<Store, 'setting'>, account: AccountId): Promise<MessageId | null> {
  return (await store.setting(markOf(account))) as MessageId | null
}

/** Incoming messages behind the last one the user has seen. */
export async function countUnread(store: Store, account: AccountId): Promise<number> {
  const mark = await seenMark(store, account)
  const newer = await store.history(account, { ...(mark === null ? {} : { after: mark }), limit: MAX_UNREAD })
  return newer.filter(({ direction }) => direction === 'in').length
}

/**
 * The mark only moves forward, so that a tab that lags does not make read messages unread.
 * @returns incoming messages that were not seen before, the newest MAX_UNREAD of them @throws SkeinError MESSAGE_UNKNOWN
 */
export async function markSeen(store: Store, account: AccountId, id: MessageId): Promise<readonly StoredMessage[]> {
  const seen = await store.message(id)
  if (seen === null || seen.contact !== account) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
  const mark = await seenMark(store, account)
  const before = mark === null ? null : await store.message(mark)
  if (before !== null && !isAfter(seen, before)) return []
  const unseen = await store.history(account, { ...(before === null ? {} : { after: before.id }), limit: MAX_UNREAD })
  await store.commit([{ kind: 'setting.put', key: markOf(account), value: id }])
  return unseen.filter((each) => each.direction === 'in' && !isAfter(each, seen))
}

function isAfter(a: StoredMessage, b: StoredMessage): boolean {
  return (a.hlcMs - b.hlcMs || a.hlcCounter - b.hlcCounter || (a.id > b.id ? 1 : -1)) > 0
}
