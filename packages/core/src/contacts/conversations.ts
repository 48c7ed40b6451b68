/** What a list of conversations shows: the newest message of each contact, and how many the user has not seen. */
import { SkeinError } from '../errors/index.ts'
import type { AccountId, MessageId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store, StoredContact, StoredMessage, StoreWrite, UnseenMessage } from '../ports/store.ts'

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

/** The furthest message up to which the user has said to have seen everything; what came late before it may be unread. */
export async function seenMark(store: Pick<Store, 'setting'>, account: AccountId): Promise<MessageId | null> {
  return (await store.setting(markOf(account))) as MessageId | null
}

/** Messages that the user has not seen, wherever in the conversation they stand. */
export async function countUnread(store: Pick<Store, 'unseen'>, account: AccountId): Promise<number> {
  return (await store.unseen(account, MAX_UNREAD)).length
}

/**
 * The user has seen everything up to a message that is here now; a late one that comes before it later is unread again.
 * @returns messages that were not seen before, in order @throws SkeinError MESSAGE_UNKNOWN
 */
export async function markSeen(
  { store, clock, readReceipts = false }: SeenPorts & { readonly readReceipts?: boolean },
  account: AccountId,
  upTo: MessageId,
): Promise<readonly UnseenMessage[]> {
  const last = await store.message(upTo)
  if (last === null || last.contact !== account) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
  const newly: UnseenMessage[] = []
  for (;;) {
    const page = (await store.unseen(account, MAX_UNREAD)).filter((each) => !isBehind(each, last))
    const seen: StoreWrite = { kind: 'messages.seen', contact: account, ids: page.map(({ id }) => id), at: clock.now() }
    const due = readReceipts ? page.map(({ id, sender }) => ({ device: sender, message: id, read: true })) : []
    // In one commit with the mark and what their senders are to be told: should this device die before it can tell, it is told all the same.
    await store.commit([seen, ...(await markWrites(store, last)), ...due.map((receipt) => ({ kind: 'receipt.put', receipt }) as const)])
    newly.push(...page)
    if (page.length < MAX_UNREAD) return newly
  }
}

export interface SeenPorts {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
}

/** The user has seen these messages on another device, and everything up to `upTo` that was there. */
export async function markTheseSeen(
  { store, clock }: SeenPorts,
  account: AccountId,
  { ids, upTo }: { readonly ids: readonly MessageId[]; readonly upTo: MessageId },
): Promise<void> {
  const last = await store.message(upTo)
  const mark = last?.contact === account ? await markWrites(store, last) : []
  await store.commit([{ kind: 'messages.seen', contact: account, ids, at: clock.now() }, ...mark])
}

/** The mark only moves forward: a window that lags changes nothing. */
async function markWrites(store: Pick<Store, 'setting' | 'message'>, to: StoredMessage): Promise<readonly StoreWrite[]> {
  const mark = await seenMark(store, to.contact)
  const before = mark === null ? null : await store.message(mark)
  return before === null || isBehind(to, before) ? [{ kind: 'setting.put', key: markOf(to.contact), value: to.id }] : []
}

type Placed = Pick<StoredMessage, 'id' | 'hlcMs' | 'hlcCounter'>

/** Whether `a` stands behind `b` in a conversation. */
export function isBehind(a: Placed, b: Placed): boolean {
  return (a.hlcMs - b.hlcMs || a.hlcCounter - b.hlcCounter || (a.id > b.id ? 1 : -1)) > 0
}
