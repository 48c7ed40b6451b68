/** What an acknowledgement changes: rows leave the outbox, messages are delivered, first flights have arrived. */
import type { OutboxRow, StoreWrite } from '../ports/store.ts'
import type { MainPath } from './context.ts'
import { commitSealed } from './send.ts'

/** A session message longer than this may carry a first flight: its ML-KEM ciphertext alone has 1,088 bytes. */
const FLIGHT_BYTES = 1_088

/** @param rows of one device, acknowledged by it over a connection that proves the device */
export async function commitDelivered(path: MainPath, rows: readonly OutboxRow[], at: number): Promise<void> {
  const [first] = rows
  const known = first === undefined ? undefined : path.book.device(first.device)
  const delivered = rows.flatMap(({ message, device }): readonly StoreWrite[] => [
    { kind: 'outbox.remove', message, device },
    { kind: 'message.state', id: message, state: 'delivered', at },
  ])
  const flown = rows.find(({ sealed }) => sealed.length > FLIGHT_BYTES)
  if (flown === undefined || known === undefined) return void (await path.store.commit(delivered))
  await commitSealed(path, [known], async () => {
    const pair = await path.cipher.pair(known.device)
    return { writes: [...delivered, ...pair.confirm(flown.sealed)], result: undefined }
  })
}
