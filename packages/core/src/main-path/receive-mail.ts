/** The way of a message in that lay in a mailbox: a receipt is due instead of an acknowledgement. */
import { isSkeinError } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import type { MainPath } from './context.ts'
import type { CarriedMessage } from './envelopes.ts'
import { receiveCarried } from './receive.ts'

/** What may open later, once something else has come (the list that has a contact's new device) or there is room again: it is to lie on. */
const LATER: readonly string[] = ['WRONG_DEVICE', 'BUDGET_SPENT', 'TOO_FAR_AHEAD', 'DISK_FULL', 'STORE_CLOSED', 'SESSION_CONFLICT']

/** Takes in what a mailbox holds, and says from whom it was. Never throws. @returns `done` once it is durable, or can never be; `keep` when it is to lie on */
export async function receiveMail(path: MainPath, envelope: Uint8Array, onFrom: (device: DeviceId) => void): Promise<'done' | 'keep'> {
  try {
    const carried = await path.envelopes.open(envelope)
    await takeIn(path, carried)
    onFrom(carried.sender)
    return 'done'
  } catch (error) {
    const code = isSkeinError(error) ? error.code : 'unknown'
    path.logger.warn('mail-refused', { code })
    // What has no code of ours may be over later.
    return LATER.includes(code) || code === 'unknown' || (code === 'UNKNOWN_SENDER' && (await mayBecomeContact(path, envelope)))
      ? 'keep'
      : 'done'
  }
}

async function takeIn(path: MainPath, carried: CarriedMessage): Promise<void> {
  const { sender: device } = carried
  let due = false
  await receiveCarried(path, carried, (message) => {
    due = true
    return [{ kind: 'receipt.put', receipt: { device, message, read: false } }]
  })
  if (due) path.onReceiptDue(device)
}

/** Whoever was invited may write before the two have met: the card comes first. */
async function mayBecomeContact({ envelopes, book }: MainPath, envelope: Uint8Array): Promise<boolean> {
  const { sender } = await envelopes.open(envelope)
  const owner = book.ownerOf(sender)
  return owner === undefined || (!owner.blocked && owner.state !== 'accepted')
}
