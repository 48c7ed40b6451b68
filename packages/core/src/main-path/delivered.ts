/** What an acknowledgement changes: rows leave the outbox, messages are delivered, first flights have arrived. */
import type { OutboxRow, StoreWrite } from '../ports/store.ts'
import type { MainPath } from './context.ts'
import { dueToOwn, shownIds } from './due-to-own.ts'
import { commitSealed } from './send.ts'

/** As it stands among the carriers of a row. */
export const MESH_CARRIER = 'mesh'

/** A session message longer than this may carry a first flight: its ML-KEM ciphertext alone has 1,088 bytes. */
const FLIGHT_BYTES = 1_088

/**
 * The rows are handed to the store before this returns, so that who reads from then on finds them delivered.
 * @param rows of one device, acknowledged by it over a connection that proves the device
 */
export async function commitDelivered(path: MainPath, rows: readonly OutboxRow[], at: number): Promise<void> {
  const delivered = rows.map(
    ({ message, device }): StoreWrite => ({ kind: 'outbox.acknowledged', message, device, state: 'delivered', at }),
  )
  const owed = dueToOwn(path.book, shownIds(rows))
  await Promise.all([path.store.commit([...delivered, ...owed]), confirmFlight(path, rows)])
}

/** On its own: if a crash comes between, the first flight goes along once more, which harms nothing. */
async function confirmFlight(path: MainPath, rows: readonly OutboxRow[]): Promise<void> {
  const flown = rows.find(({ sealed }) => sealed.length > FLIGHT_BYTES)
  const known = flown === undefined ? undefined : path.book.device(flown.device)
  if (flown === undefined || known === undefined) return
  await commitSealed(path, [known], async () => {
    const pair = await path.cipher.pair(known.device)
    return () => ({ writes: pair.confirm(flown.sealed), result: undefined })
  })
}

/**
 * What it means for a row that a carrier holds it. What is in no history is left to a mailbox, which has signed that it holds it; a
 * neighbour of the mesh signs nothing and may be anybody, so that its word moves no row out.
 */
export function carriedWrite({ message, device, transient }: OutboxRow, carrier: string): StoreWrite {
  return transient && carrier !== MESH_CARRIER
    ? { kind: 'outbox.remove', message, device }
    : { kind: 'outbox.carried', message, device, carrier }
}
