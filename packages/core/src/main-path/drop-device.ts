/** A device that was taken out of its account gets nothing more (DV8). */
import type { DeviceId } from '../ids.ts'
import type { OutboxRow, StoreWrite } from '../ports/store.ts'
import type { MainPath } from './context.ts'
import { giveUp } from './expire.ts'
import { sealWaiting } from './recover.ts'

const PAGE = 256

/**
 * Its sessions and rows go; what nobody else of the account has or will get waits for the devices that are there now (DL23). What
 * breaks off goes on where it was when it is done again.
 */
export async function dropDevice(path: MainPath, device: DeviceId): Promise<void> {
  const { store, cipher } = path
  await store.commit([
    { kind: 'session.remove', device },
    { kind: 'receipt.forget', device },
  ])
  cipher.forget(device)
  const others = new Set<DeviceId>()
  for (;;) {
    const rows = await store.outbox(device, 0, PAGE)
    if (rows.length === 0) break
    await store.commit(rows.filter(({ transient }) => transient).map(({ message }) => ({ kind: 'outbox.remove', message, device })))
    for (const row of rows) if (!row.transient) for (const other of await redirect(path, row)) others.add(other)
  }
  for (const other of others) await sealWaiting(path, other)
}

/** @returns devices that are to get it now */
async function redirect(path: MainPath, row: OutboxRow): Promise<readonly DeviceId[]> {
  const others = (await isWanted(path, row)) ? path.book.devicesOf(row.contact).map(({ device }) => device) : []
  // Sealed behind the commit, as what waits for keys is: until the user has decided about other keys it waits like that too (EV2).
  if (others.length > 0) await path.store.commit((await Promise.all(others.map((device) => waitingRow(path, row, device)))).flat())
  await giveUp(path, [row], 'device-revoked')
  return others
}

/** Nobody has it, and it is on its way to no other device. */
async function isWanted({ store }: MainPath, { message: id }: OutboxRow): Promise<boolean> {
  if ((await store.outboxOf(id)).length > 1) return false
  const message = await store.message(id, 'out')
  if (message !== null) return (message.state === 'queued' || message.state === 'carried') && message.deletedAt === null
  return (await store.annotation(id)) !== null && (await store.progress(id)).every(({ state }) => state === 'failed')
}

async function waitingRow({ sequences }: MainPath, row: OutboxRow, device: DeviceId): Promise<readonly StoreWrite[]> {
  const seq = await sequences.next(device)
  const waiting: OutboxRow = { ...row, device, seq, sealed: new Uint8Array(), state: 'queued', carriers: [] }
  return [
    { kind: 'seq.put', device, seq },
    { kind: 'outbox.insert', row: waiting },
  ]
}
