/** What is in the outbox, and why it is there still. */
import { type CarrierView, chooseCarriers, type HoldReason } from '../delivery/index.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import { SkeinError } from '../errors/index.ts'
import type { MessageState, OutboxDevice, OutboxRow, Store } from '../ports/store.ts'

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

/** Where a message of ours stands at one device of its recipient (DL16). */
export interface DeviceState {
  readonly device: DeviceId
  readonly state: MessageState
  /** Why it failed: a code. */
  readonly reason: string | null
  /** Since when, milliseconds since 1970; null while it is on its way. */
  readonly at: number | null
}

/** @throws SkeinError MESSAGE_UNKNOWN when we have sent none with this id */
export async function deviceStates(store: Store, id: MessageId): Promise<readonly DeviceState[]> {
  if ((await store.message(id, 'out')) === null) throw new SkeinError('MESSAGE_UNKNOWN', 'You have sent no message with this id.')
  const rows = (await store.outboxOf(id)).filter(({ transient }) => !transient)
  const going = new Set(rows.map(({ device }) => device))
  const told = (await store.progress(id)).filter(({ device }) => !going.has(device))
  return [
    ...rows.map((row) => ({ device: row.device, state: stateOf(row), reason: null, at: null })),
    ...told.map(({ device, state, reason, at }) => ({ device, state, reason, at })),
  ]
}

/** What a carrier has lost is with nobody but us. */
function stateOf({ carriers }: OutboxRow): OutboxRow['state'] {
  return carriers.length === 0 ? 'queued' : 'carried'
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
      const { message, contact, device, carriers, expiresAt } = row
      const { hold } = chooseCarriers(viewOf(row))
      return { message, contact, device, state: stateOf(row), carriers, hold, attempts, nextAt, expiresAt }
    })
}
