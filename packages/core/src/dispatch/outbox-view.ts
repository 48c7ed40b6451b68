/** What is in the outbox, and why it is there still. */
import { type CarrierView, chooseCarriers, type HoldReason } from '../delivery/index.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import type { OutboxDevice, OutboxRow, Store } from '../ports/store.ts'

/** Rows shown of one device: beyond that their number says enough. */
const MAX_ROWS = 1_000

export interface OutboxEntry {
  readonly message: MessageId
  readonly contact: AccountId
  readonly device: DeviceId
  readonly state: OutboxRow['state']
  readonly carriers: readonly string[]
  /** Why nobody holds it; null while somebody does or it is on its way. */
  readonly hold: HoldReason | null
  readonly attempts: number
  /** When the device is tried next, milliseconds since 1970; 0 for now. */
  readonly nextAt: number
  readonly expiresAt: number
}

export async function listOutbox(store: Store, viewOf: (row: OutboxRow) => CarrierView): Promise<readonly OutboxEntry[]> {
  const devices = await store.outboxDevices()
  const entries = await Promise.all(
    devices.map(async (device) => entriesOf(await store.outbox(device.device, 0, MAX_ROWS), device, viewOf)),
  )
  return entries.flat()
}

function entriesOf(rows: readonly OutboxRow[], { attempts, nextAt }: OutboxDevice, viewOf: (row: OutboxRow) => CarrierView): OutboxEntry[] {
  return rows
    .filter(({ transient }) => !transient)
    .map((row) => {
      const { message, contact, device, state, carriers, expiresAt } = row
      const { hold } = chooseCarriers(viewOf(row))
      return { message, contact, device, state, carriers, hold, attempts, nextAt, expiresAt }
    })
}
