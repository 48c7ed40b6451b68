/** The way of a message out: id → encrypt → persist → plan → carrier. Read this first. */
import type { PairCipher, SealedContent } from '../e2ee/session-cipher.ts'
import { isSkeinError, SkeinError } from '../errors/index.ts'
import { type AccountId, type MessageId, messageIdFromBytes } from '../ids.ts'
import type { OutboxRow, StoredContact, StoredDevice, StoredMessage, StoreWrite } from '../ports/store.ts'
import { type ContentFields, encodeContent } from '../wire/content.ts'
import type { MainPath } from './context.ts'
import { stampWrite } from './stamps.ts'

/** Tries to seal and commit while other commits of the same session fail or overtake. */
const MAX_TRIES = 4

/**
 * Sends a text to every device of a contact. When it resolves, message, outbox rows and session states are durable and
 * the message is `queued`; nothing has left before.
 * A device of which nothing is known to encrypt to waits alone (DL12).
 * @throws SkeinError CONTACT_BLOCKED, KEYS_CHANGED, MESSAGE_TOO_LARGE, DISK_FULL
 */
export async function sendText(
  path: MainPath,
  contact: StoredContact,
  text: string,
  { expireMs = path.expireMs }: SendOptions = {},
): Promise<StoredMessage> {
  if (contact.blocked) throw new SkeinError('CONTACT_BLOCKED', `«${contact.petname}» is blocked; unblock first.`)
  const message = newMessage(path, contact, text)
  const content = encodeContent(contentOf(message))
  const devices = path.book.devicesOf(contact.account)
  const rows = await commitSealed(path, devices, async () => {
    const ready = await Promise.all(devices.map((device) => prepare(path, device)))
    refuseUnconfirmed(path, contact.account)
    // From here to the commit nothing waits: commits keep the order of the sessions' steps.
    const sealed = ready.map((target) => sealFor(target, content, { message: message.id, expiresAt: message.createdAt + expireMs }))
    const writes: StoreWrite[] = [{ kind: 'message.insert', message }, stampWrite(path.stamps), ...sealed.flatMap((each) => each.writes)]
    return { writes, result: sealed.map(({ row }) => row) }
  })
  path.onMessage(message)
  for (const row of rows) path.post(row)
  return message
}

export interface SendOptions {
  /** Given up after so long, milliseconds. */
  readonly expireMs?: number
}

/**
 * Sends a message that failed once more, to the devices that have not got it.
 * @throws SkeinError MESSAGE_UNKNOWN (also when it has not failed), CONTACT_BLOCKED, KEYS_CHANGED, DISK_FULL
 */
export async function sendAgain(path: MainPath, id: MessageId): Promise<StoredMessage> {
  const message = await path.store.message(id, 'out')
  const contact = message === null ? undefined : path.book.get(message.contact)
  if (message?.state !== 'failed' || contact === undefined) throw new SkeinError('MESSAGE_UNKNOWN', 'No message with this id has failed.')
  if (contact.blocked) throw new SkeinError('CONTACT_BLOCKED', `«${contact.petname}» is blocked; unblock first.`)
  const devices = path.book.devicesOf(contact.account)
  const content = encodeContent(contentOf(message))
  const expiresAt = path.clock.now() + path.expireMs
  const rows = await commitSealed(path, devices, async () => {
    const ready = await Promise.all(devices.map((device) => prepare(path, device)))
    refuseUnconfirmed(path, contact.account)
    const sealed = ready.map((target) => sealFor(target, content, { message: id, expiresAt }))
    const writes: StoreWrite[] = [
      { kind: 'message.state', id, state: 'queued', at: path.clock.now() },
      ...sealed.flatMap((each) => each.writes),
    ]
    return { writes, result: sealed.map(({ row }) => row) }
  })
  const again: StoredMessage = { ...message, state: 'queued', reason: null }
  path.onState(again)
  for (const row of rows) path.post(row)
  return again
}

/** Asked in the same turn as sealing, so that no list comes in between (EV2). @throws SkeinError KEYS_CHANGED */
function refuseUnconfirmed({ book }: MainPath, account: AccountId): void {
  const contact = book.get(account)
  if (contact?.trust !== 'changed') return
  throw new SkeinError(
    'KEYS_CHANGED',
    `«${contact.petname}» has other devices or keys than when you verified them. Ask whether that was them, then confirm; until then nothing is sent.`,
  )
}

/** What goes under the seal for a message of ours. */
export function contentOf({ id, hlcMs, hlcCounter, createdAt, text }: StoredMessage): ContentFields {
  return { id, hlcMs, hlcCounter, createdAt, body: { kind: 'text', text } }
}

/**
 * Commits what `seal` makes. A commit that fails has taken keys from sessions in memory that the store still has: they
 * are read again, and if only another commit came between, the whole is sealed anew.
 */
export async function commitSealed<T>(
  { store, cipher }: MainPath,
  devices: readonly StoredDevice[],
  seal: () => Promise<{ readonly writes: readonly StoreWrite[]; readonly result: T }>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { writes, result } = await seal()
      if (writes.length > 0) await store.commit(writes)
      return result
    } catch (error) {
      for (const { device } of devices) cipher.forget(device)
      if (!isSkeinError(error, 'SESSION_CONFLICT') || attempt >= MAX_TRIES) throw error
    }
  }
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

interface Target {
  readonly device: StoredDevice
  readonly pair: PairCipher
  readonly seq: number
}

async function prepare({ cipher, sequences }: MainPath, device: StoredDevice): Promise<Target> {
  const [pair, seq] = await Promise.all([cipher.pair(device.device), sequences.next(device.device)])
  return { device, pair, seq }
}

function sealFor(
  { device: { account, device }, pair, seq }: Target,
  content: Uint8Array,
  { message, expiresAt }: Pick<OutboxRow, 'message' | 'expiresAt'>,
): { row: OutboxRow; writes: readonly StoreWrite[] } {
  const { sealed, writes } = sealOrWait(pair, content)
  const row: OutboxRow = { message, contact: account, device, seq, sealed, state: 'queued', carriers: [], expiresAt, transient: false }
  return { row, writes: [...writes, { kind: 'seq.put', device, seq }, { kind: 'outbox.insert', row }] }
}

/** Nothing sealed while nothing is known to encrypt to the device with: its other devices need not wait (DL12). */
function sealOrWait(pair: PairCipher, content: Uint8Array): SealedContent {
  try {
    return pair.seal(content)
  } catch (error) {
    if (!isSkeinError(error, 'NO_BUNDLE')) throw error
    return { sealed: new Uint8Array(), writes: [] }
  }
}
