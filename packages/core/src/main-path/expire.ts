/** Giving up (DL13): what was not delivered in the time its sender allowed fails, device by device. */
import type { MessageId } from '../ids.ts'
import { SkeinError } from '../errors/index.ts'
import type { OutboxRow, StoredMessage, StoreWrite } from '../ports/store.ts'
import type { MainPath } from './context.ts'
import { dueToOwn } from './due-to-own.ts'

/** Rows given up in one commit. */
const PAGE = 256

/** Gives up what has expired. @param reason what the user is told */
export async function giveUpExpired(path: MainPath): Promise<void> {
  const { store, clock } = path
  for (;;) {
    const rows = await store.outboxExpired(clock.now(), PAGE)
    if (rows.length > 0) await giveUp(path, rows, 'expired')
    if (rows.length < PAGE) return
  }
}

/** Gives up what is in the outbox under this id, because the user wants it. @throws SkeinError MESSAGE_UNKNOWN */
export async function cancel(
  path: MainPath,
  id: MessageId,
): Promise<{ readonly rows: readonly OutboxRow[]; readonly message: StoredMessage }> {
  const { store } = path
  const rows = (await store.outboxOf(id)).filter(({ transient }) => !transient)
  const said = await store.annotation(id)
  const message = said === null ? await store.message(id, 'out') : await store.message(said.target)
  if (rows.length === 0 || message === null) throw new SkeinError('MESSAGE_UNKNOWN', 'No message with this id is in the outbox.')
  await giveUp(path, rows, 'cancelled')
  return { rows, message: (await store.message(message.id, message.direction)) ?? message }
}

/** The rows leave the outbox; a message fails with its last one, unless a device has it. */
export async function giveUp(path: MainPath, rows: readonly OutboxRow[], reason: string): Promise<void> {
  const { store, clock } = path
  const at = clock.now()
  const shown = await shownIn(path, rows)
  const removed = rows.flatMap(({ message, device }): readonly StoreWrite[] => [
    { kind: 'outbox.remove', message, device },
    ...(shown.has(message) ? [{ kind: 'progress.put', progress: { message, device, state: 'failed', reason, at } } as const] : []),
  ])
  // In one commit: with a row gone and its message `queued`, nobody would try it any more, nor say so.
  const last = await lastRows(path, shown, rows)
  await store.commit([...removed, ...last.map((id) => failed(id, { at, reason })), ...dueToOwn(path.book, last)])
  for (const message of shown) await failMessage(path, message, reason)
}

/** Messages of the history among what these rows carry: what was said about one, or between programs, has no state. */
async function shownIn({ store }: MainPath, rows: readonly OutboxRow[]): Promise<ReadonlySet<MessageId>> {
  const ids = [...new Set(rows.filter(({ transient }) => !transient).map(({ message }) => message))]
  const found = await Promise.all(ids.map((id) => store.message(id, 'out')))
  return new Set(ids.filter((_, at) => found[at] !== null))
}

/** Messages that are on their way to no other device than those of `rows`. */
async function lastRows({ store }: MainPath, messages: ReadonlySet<MessageId>, rows: readonly OutboxRow[]): Promise<readonly MessageId[]> {
  const going = new Set(rows.map(({ message, device }) => `${message} ${device}`))
  const all = await Promise.all([...messages].map(async (id) => ({ id, rows: await store.outboxOf(id) })))
  return all.filter((each) => each.rows.every(({ message, device }) => going.has(`${message} ${device}`))).map(({ id }) => id)
}

function failed(id: MessageId, { at, reason }: { readonly at: number; readonly reason: string }): StoreWrite {
  return { kind: 'message.state', id, state: 'failed', at, reason }
}

/** Two of its rows may have been given up at once. */
async function failMessage(path: MainPath, id: MessageId, reason: string): Promise<void> {
  if ((await path.store.outboxOf(id)).length > 0) return
  await path.store.commit([failed(id, { at: path.clock.now(), reason }), ...dueToOwn(path.book, [id])])
  const message = await path.store.message(id, 'out')
  if (message?.state === 'failed') path.onState(message)
}
