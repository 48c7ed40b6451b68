/** A device that was taken out of its account gets nothing more (DV8). */
import { isSkeinError } from '../errors/index.ts'
import type { DeviceId, MessageId } from '../ids.ts'
import type { OutboxRow } from '../ports/store.ts'
import type { MainPath } from './context.ts'
import { giveUp } from './expire.ts'
import { commitForAll, contentOf } from './send.ts'

const PAGE = 256

/** Its sessions and rows go; what nobody else of the account has or will get is sealed for the devices that are there now. */
export async function dropDevice(path: MainPath, device: DeviceId): Promise<void> {
  const { store, cipher } = path
  await store.commit([
    { kind: 'session.remove', device },
    { kind: 'receipt.forget', device },
  ])
  cipher.forget(device)
  for (;;) {
    const rows = await store.outbox(device, 0, PAGE)
    if (rows.length === 0) return
    await store.commit(rows.filter(({ transient }) => transient).map(({ message }) => ({ kind: 'outbox.remove', message, device })))
    for (const row of rows) if (!row.transient) await redirect(path, row)
  }
}

async function redirect(path: MainPath, row: OutboxRow): Promise<void> {
  try {
    if (await isWanted(path, row.message)) await sendElsewhere(path, row)
  } catch (error) {
    path.logger.warn('not-sent-to-other-devices', { code: isSkeinError(error) ? error.code : 'unknown' })
  }
  await giveUp(path, [row], 'device-revoked')
}

/** Nobody has it, and it is on its way to no other device. */
async function isWanted({ store }: MainPath, id: MessageId): Promise<boolean> {
  const message = await store.message(id, 'out')
  return (
    (message?.state === 'queued' || message?.state === 'carried') && message.deletedAt === null && (await store.outboxOf(id)).length === 1
  )
}

async function sendElsewhere(path: MainPath, { message: id, contact: account, expiresAt }: OutboxRow): Promise<void> {
  const [message, contact] = [await path.store.message(id, 'out'), path.book.get(account)]
  if (message === null || contact === undefined || path.book.devicesOf(account).length === 0) return
  const content = contentOf(message, await path.store.transfer(id, 'out'))
  for (const row of await commitForAll(path, contact, { content, expiresAt, beside: [] })) path.post(row)
}
