/** The way of a message in that lay in a mailbox: a receipt is due instead of an acknowledgement. */
import { isSkeinError } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import { decodeEnvelope } from '../wire/sealed.ts'
import type { MainPath } from './context.ts'
import { type CarriedMessage, MAIL_LIFETIME_MS } from './envelopes.ts'
import { receiveCarried } from './receive.ts'

/** What may open later, once there is room again: it is to lie on. */
const LATER: readonly string[] = ['BUDGET_SPENT', 'TOO_FAR_AHEAD', 'DISK_FULL', 'STORE_CLOSED', 'SESSION_CONFLICT']

/** Mail of a device that no list names yet lies on for so long, ms: a list comes by mail itself; what a removed device leaves is not fetched for ever. */
const UNLISTED_FOR_MS = 3 * 86_400_000
const MS_PER_HOUR = 3_600_000

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
    if (code === 'WRONG_DEVICE') return isYoung(path, envelope) ? 'keep' : 'done'
    // What has no code of ours may be over later.
    return LATER.includes(code) || code === 'unknown' || (code === 'UNKNOWN_SENDER' && (await mayBecomeContact(path, envelope)))
      ? 'keep'
      : 'done'
  }
}

function isYoung({ clock }: MainPath, envelope: Uint8Array): boolean {
  const madeAt = decodeEnvelope(envelope).expiryHour * MS_PER_HOUR - MAIL_LIFETIME_MS
  return madeAt > clock.now() - UNLISTED_FOR_MS
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
