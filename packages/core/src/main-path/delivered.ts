/** What an acknowledgement changes: rows leave the outbox, messages are delivered, first flights have arrived. */
import type { DeviceId, MessageId } from '../ids.ts'
import type { OutboxRow, StoreWrite } from '../ports/store.ts'
import type { MainPath } from './context.ts'
import { commitSealed } from './send.ts'

/** A session message longer than this may carry a first flight: its ML-KEM ciphertext alone has 1,088 bytes. */
const FLIGHT_BYTES = 1_088

/**
 * The rows are handed to the store before this returns, so that who reads from then on finds them delivered.
 * @param rows of one device, acknowledged by it over a connection that proves the device
 */
export async function commitDelivered(path: MainPath, rows: readonly OutboxRow[], at: number): Promise<void> {
  const delivered = rows.flatMap(({ message, device, transient }): readonly StoreWrite[] =>
    transient ? [{ kind: 'outbox.remove', message, device }] : deliveredWrites(message, device, at),
  )
  await Promise.all([path.store.commit(delivered), confirmFlight(path, rows)])
}

/** A device has a message: whatever else carries it for that device is of no interest any more (DL10). */
export function deliveredWrites(message: MessageId, device: DeviceId, at: number): readonly StoreWrite[] {
  return [
    { kind: 'outbox.remove', message, device },
    { kind: 'progress.put', progress: { message, device, state: 'delivered', reason: null, at } },
    { kind: 'message.state', id: message, state: 'delivered', at },
  ]
}

/** On its own: if a crash comes between, the first flight goes along once more, which harms nothing. */
async function confirmFlight(path: MainPath, rows: readonly OutboxRow[]): Promise<void> {
  const flown = rows.find(({ sealed }) => sealed.length > FLIGHT_BYTES)
  const known = flown === undefined ? undefined : path.book.device(flown.device)
  if (flown === undefined || known === undefined) return
  await commitSealed(path, [known], async () => {
    const pair = await path.cipher.pair(known.device)
    return { writes: pair.confirm(flown.sealed), result: undefined }
  })
}
