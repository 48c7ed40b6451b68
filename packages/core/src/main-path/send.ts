/** The way of a message out: id → persist → encrypt → plan → carrier. Read this first. */
import { chooseCarrier } from '../delivery/choose-carrier.ts'
import { SkeinError } from '../errors/index.ts'
import { messageIdFromBytes, type MessageId } from '../ids.ts'
import type { OutboxRow, StoredContact, StoredDevice, StoredMessage, StoreWrite } from '../ports/store.ts'
import { encodeContent } from '../wire/content.ts'
import type { MainPath } from './context.ts'
import { stampWrite } from './stamps.ts'

/**
 * Sends a text to every device of a contact. When it resolves, message, outbox rows and session states are durable and
 * the message is `queued`; nothing has left before.
 * @throws SkeinError CONTACT_BLOCKED, MESSAGE_TOO_LARGE, DISK_FULL
 */
export async function sendText(path: MainPath, contact: StoredContact, text: string): Promise<StoredMessage> {
  if (contact.blocked) throw new SkeinError('CONTACT_BLOCKED', `«${contact.petname}» is blocked; unblock first.`)
  const message = newMessage(path, contact, text)
  const content = encodeContent({ hlcMs: message.hlcMs, hlcCounter: message.hlcCounter, createdAt: message.createdAt, text })
  const sealed = await Promise.all(path.book.devicesOf(contact.account).map((device) => sealFor(path, { device, content, id: message.id })))
  await path.store.commit([{ kind: 'message.insert', message }, stampWrite(path.stamps), ...sealed.flatMap(({ writes }) => writes)])
  path.onMessage(message)
  if (chooseCarrier(contact) === 'direct') for (const { row } of sealed) path.post(row)
  return message
}

function newMessage({ clock, random, stamps, swarm }: MainPath, contact: StoredContact, text: string): StoredMessage {
  const stamp = stamps.next()
  return {
    id: messageIdFromBytes(random.bytes(16)),
    contact: contact.account,
    direction: 'out',
    sender: swarm.self,
    text,
    state: 'queued',
    reason: null,
    createdAt: clock.now(),
    hlcMs: stamp.ms,
    hlcCounter: stamp.counter,
    receivedAt: null,
    deliveredAt: null,
  }
}

interface Sealing {
  readonly device: StoredDevice
  readonly content: Uint8Array
  readonly id: MessageId
}

async function sealFor(
  { cipher, sequences }: MainPath,
  { device, content, id }: Sealing,
): Promise<{ row: OutboxRow; writes: readonly StoreWrite[] }> {
  const { sealed, writes } = await cipher.seal(device.device, content)
  const seq = await sequences.next(device.device)
  const row: OutboxRow = { message: id, contact: device.account, device: device.device, seq, sealed, attempts: 0, nextAt: 0 }
  return { row, writes: [...writes, { kind: 'seq.put', device: device.device, seq }, { kind: 'outbox.insert', row }] }
}
