/** The way of a message in that lay in a mailbox: a receipt is due instead of an acknowledgement. */
import { hex } from '@scure/base'
import { isSkeinError, STORE_FAILURES } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import type { MailFate } from '../mailbox/collector.ts'
import { decodeEnvelope } from '../wire/sealed.ts'
import type { MainPath } from './context.ts'
import type { CarriedMessage } from './envelopes.ts'
import { receiveCarried } from './receive.ts'
import { askToStartAnew, recover } from './recover.ts'

/** What may open later, once there is room again, say: it is to lie on. */
const LATER: readonly string[] = ['BUDGET_SPENT', 'TOO_FAR_AHEAD', 'SESSION_CONFLICT', ...STORE_FAILURES]

/** What was sealed for a session or a key that is not here: its sender is to start anew, or what begins the session is still to come. */
const STATE_LOST: readonly string[] = ['SESSION_UNKNOWN', 'PREKEY_UNKNOWN']

/** What may open only once other mail has come lies on for so many days; what a removed device leaves is not fetched for ever. */
const UNLISTED_FOR_DAYS = 3

/** Whoever is asked to start anew for what is too far ahead may be away for weeks, and each time costs a session. */
const OVERTAKEN_EVERY_MS = 86_400_000

export interface MailLook {
  /** All that lies there was looked at before, and something of it did not open. */
  readonly isAgain: boolean
  /** From whom it was. */
  onFrom(device: DeviceId): void
}

/** Takes in what a mailbox holds. Never throws. @returns `done` once it is durable, or can never be */
export async function receiveMail(path: MainPath, envelope: Uint8Array, { isAgain, onFrom }: MailLook): Promise<MailFate> {
  let carried: CarriedMessage | undefined
  try {
    carried = await path.envelopes.open(envelope)
    await takeIn(path, carried)
    onFrom(carried.sender)
    return 'done'
  } catch (error) {
    const code = isSkeinError(error) ? error.code : 'unknown'
    path.logger.warn('mail-refused', { code })
    if (isAgain && carried !== undefined && code === 'TOO_FAR_AHEAD') return overtaken(path, envelope, carried).catch(() => 'later')
    if (await startAnew(path, envelope, error)) return (await isYoung(path, envelope)) ? 'keep' : 'done'
    if (passes(code)) return 'later'
    return (await mayOpenLater(path, envelope, code)) ? 'keep' : 'done'
  }
}

/**
 * What lies before it is lost: it is too far ahead although all was looked at. Its sender is to start anew (ES14); once that is done,
 * it lies on for a while in case the rest comes after all.
 */
async function overtaken(path: MainPath, envelope: Uint8Array, { sender, message, invite }: CarriedMessage): Promise<MailFate> {
  if (await path.cipher.isOver(sender, message)) return (await isYoung(path, envelope)) ? 'keep' : 'done'
  if (invite === undefined) await askToStartAnew(path, sender, OVERTAKEN_EVERY_MS)
  return 'later'
}

/**
 * Asks whoever may have left an envelope that does not open for a new session, once for each (ES6). The tag says whose it is; the sender
 * has its row until a receipt comes, and seals it anew. Never throws. @returns whether `error` says so, and a contact has left it
 */
export async function startAnew(path: MainPath, envelope: Uint8Array, error: unknown): Promise<boolean> {
  if (!isSkeinError(error) || !STATE_LOST.includes(error.code)) return false
  const found = await path.envelopes.suspects(envelope).catch(() => undefined)
  for (const device of found?.devices ?? []) await recover(path, device, error)
  return found !== undefined
}

/** Whether an envelope that did not open may do so another time. @param code of the error; `unknown` where it has none of ours */
export async function mayOpenLater(path: MainPath, envelope: Uint8Array, code: string): Promise<boolean> {
  if (code === 'WRONG_DEVICE') return isYoung(path, envelope)
  return passes(code) || (code === 'UNKNOWN_SENDER' && (await mayBecomeContact(path, envelope)))
}

/** What has no code of ours may be over later. */
function passes(code: string): boolean {
  return LATER.includes(code) || code === 'unknown'
}

/** By the day that its tag is for: when it is given up is its sender's choice. */
async function isYoung({ envelopes }: MainPath, envelope: Uint8Array): Promise<boolean> {
  const wanted = hex.encode(decodeEnvelope(envelope).deliveryTag)
  return (await envelopes.tags(UNLISTED_FOR_DAYS)).some((tag) => hex.encode(tag) === wanted)
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
