/** What becomes of messages of ours is owed to our other devices (DV13), in the commit that makes it so. */
import type { ContactBook } from '../contacts/index.ts'
import type { MessageId } from '../ids.ts'
import type { OutboxRow, StoreWrite } from '../ports/store.ts'

/** @param read whether the news is that it was read: told beside that it came */
export function dueToOwn(book: ContactBook, messages: readonly MessageId[], read = false): readonly StoreWrite[] {
  return book
    .ownDevices()
    .flatMap(({ device }) => messages.map((message): StoreWrite => ({ kind: 'receipt.put', receipt: { device, message, read } })))
}

/** Ids of those rows whose messages are in the history. */
export function shownIds(rows: readonly OutboxRow[]): readonly MessageId[] {
  return rows.filter(({ transient }) => !transient).map(({ message }) => message)
}
