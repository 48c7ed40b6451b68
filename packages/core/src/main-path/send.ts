/** The way of a message out: id → encrypt → persist → plan → carrier. Read this first. */
import type { PairCipher, SealedContent } from '../e2ee/session-cipher.ts'
import { isSkeinError, SkeinError } from '../errors/index.ts'
import { type AccountId, type MessageId, messageIdFromBytes } from '../ids.ts'
import type { OutboxRow, StoredContact, StoredDevice, StoredMessage, StoredTransfer, StoreWrite } from '../ports/store.ts'
import { encodeContent } from '../wire/content.ts'
import type { MainPath } from './context.ts'
import { copyContent, copyTargets } from './copies.ts'
import { stampWrite } from './stamps.ts'
import { UNTOUCHED } from './untouched.ts'

type OwnContent = Parameters<typeof encodeContent>[0]

/** Tries to seal and commit while other commits of the same session fail or overtake. */
const MAX_TRIES = 4

/** What a person sends: a text, perhaps in answer; somebody else's account; or how long texts stay from now on. */
export type Draft =
  /** `transfer` is kept with it, but for what the message gives it. */
  | { readonly kind: 'file'; readonly name: string; readonly transfer: Pick<StoredTransfer, 'manifest' | 'place'> }
  | { readonly kind: 'text'; readonly text: string; readonly replyTo?: MessageId }
  | { readonly kind: 'contact'; readonly account: AccountId; readonly name: string }
  /** Milliseconds, rounded up to seconds; null: they stay. */
  | { readonly kind: 'timer'; readonly disappearAfterMs: number | null }

export interface SendOptions {
  /** Given up after so long, milliseconds. */
  readonly expireMs?: number
  /** Chosen by the caller, 16 random bytes: what was sent under it already is not sent again. */
  readonly id?: MessageId
}

/**
 * Sends a message to every device of a contact. When it resolves, message, outbox rows and session states are durable and
 * the message is `queued`; nothing has left before.
 * A device of which nothing is known to encrypt to waits alone (DL12).
 * @throws SkeinError CONTACT_BLOCKED, KEYS_CHANGED, MESSAGE_TOO_LARGE, MESSAGE_UNKNOWN (no such message to answer), USAGE, DISK_FULL
 */
export async function sendMessage(
  path: MainPath,
  contact: StoredContact,
  draft: Draft,
  { expireMs = path.expireMs, id }: SendOptions = {},
): Promise<StoredMessage> {
  const sent = id === undefined ? null : await path.store.message(id, 'out')
  if (sent !== null) return sentTo(contact, sent)
  const message = await newMessage(path, contact, { id: id ?? messageIdFromBytes(path.random.bytes(16)), draft })
  const expiresAt = message.createdAt + expireMs
  const transfer = draft.kind === 'file' ? newTransfer(message, draft.transfer) : null
  const offer: readonly StoreWrite[] = transfer === null ? [] : [{ kind: 'transfer.offer', transfer }]
  const beside: readonly StoreWrite[] = [{ kind: 'message.insert', message }, ...offer, stampWrite(path.stamps)]
  const rows = await commitForAll(path, contact, { content: contentOf(message, transfer), expiresAt, beside })
  path.onMessage(message)
  for (const row of rows) path.post(row)
  return message
}

function newTransfer({ id, contact, sender, createdAt }: StoredMessage, made: Pick<StoredTransfer, 'manifest' | 'place'>): StoredTransfer {
  const fresh = { bytes: 0, moved: 0, sha256: null, path: null, told: false, askers: null, updatedAt: createdAt } as const
  return { ...fresh, ...made, id, direction: 'out', contact, device: sender, state: 'waiting', reason: null, createdAt }
}

/** @throws SkeinError MESSAGE_UNKNOWN when the id stands for a message to somebody else */
function sentTo(contact: StoredContact, sent: StoredMessage): StoredMessage {
  if (sent.contact === contact.account) return sent
  throw new SkeinError('MESSAGE_UNKNOWN', 'This id stands for a message to somebody else.')
}

/** A file in another state is offered no more. */
const LIVE: readonly StoredTransfer['state'][] = ['waiting', 'running', 'paused']

/**
 * Sends a message that failed once more, to the devices that have not got it.
 * @throws SkeinError MESSAGE_UNKNOWN (also when it has not failed), FILE_UNREADABLE, CONTACT_BLOCKED, KEYS_CHANGED, DISK_FULL
 */
export async function sendAgain(path: MainPath, id: MessageId, expireMs: number = path.expireMs): Promise<StoredMessage> {
  const message = await path.store.message(id, 'out')
  const contact = message === null ? undefined : path.book.get(message.contact)
  // Under the id of another device's message it would be another message to the recipient.
  if (message !== null && path.book.ownDevices().some(({ device }) => device === message.sender))
    throw new SkeinError('NOT_YOURS', 'Another device of yours has sent this message; try again there.')
  if (message !== null && message.sender !== path.swarm.self)
    throw new SkeinError('NOT_YOURS', 'A device that is gone has sent this message, and may have been heard; write it again if it was not.')
  if (message?.state !== 'failed' || message.deletedAt !== null || message.kind === 'gone' || contact === undefined)
    throw new SkeinError('MESSAGE_UNKNOWN', 'No message with this id has failed.')
  const transfer = await path.store.transfer(id, 'out')
  if (message.kind === 'file' && !LIVE.includes(transfer?.state ?? 'failed'))
    throw new SkeinError('FILE_UNREADABLE', 'This offer is over; send the file again.')
  const at = path.clock.now()
  const beside = [{ kind: 'message.state', id, state: 'queued', at }] as const
  const content = contentOf(message, transfer)
  const rows = await commitForAll(path, contact, { content, expiresAt: at + expireMs, beside })
  const again: StoredMessage = { ...message, state: 'queued', reason: null }
  path.onState(again)
  for (const row of rows) path.post(row)
  return again
}

export interface Outgoing {
  readonly content: OwnContent
  readonly expiresAt: number
  /** What is to be durable with it. */
  readonly beside: readonly StoreWrite[]
}

/**
 * Seals something for every device of a contact, and a copy for each other device of ours, and commits all of it at once.
 * @returns rows to be posted @throws as sendMessage
 */
export async function commitForAll(
  path: MainPath,
  contact: StoredContact,
  { content, expiresAt, beside }: Outgoing,
): Promise<readonly OutboxRow[]> {
  refuseBlocked(contact)
  const encoded = encodeContent(content)
  const [devices, own] = [path.book.devicesOf(contact.account), copyTargets(path)]
  const word = { kind: 'copy', account: contact.account, content: encoded } as const
  const copy = own.length === 0 ? undefined : await copyContent(path, word, content)
  return commitSealed(path, [...devices, ...own], async () => {
    const [ready, readyOwn] = await Promise.all([devices, own].map((all) => Promise.all(all.map((device) => prepare(path, device)))))
    return () => {
      refuseUnconfirmed(path, contact.account)
      const row = { message: content.id, expiresAt, transient: false, content: null }
      const sealed = (ready ?? []).map((target) => sealFor(target, encoded, row))
      const copies =
        copy === undefined
          ? []
          : (readyOwn ?? []).map((target) => sealFor(target, copy.encoded, { ...row, message: copy.id, transient: true }))
      const all = [...sealed, ...copies]
      return { writes: [...beside, ...all.flatMap((each) => each.writes)], result: all.map((each) => each.row) }
    }
  })
}

/** Whether anything is sent to a contact at present. @throws SkeinError CONTACT_BLOCKED, KEYS_CHANGED */
export function assertSendable(book: MainPath['book'], contact: StoredContact): void {
  refuseBlocked(contact)
  refuseUnconfirmed({ book }, contact.account)
}

function refuseBlocked({ blocked, petname }: StoredContact): void {
  if (blocked) throw new SkeinError('CONTACT_BLOCKED', `«${petname}» is blocked; unblock first.`)
}

/** Asked in the same turn as sealing, so that no list comes in between (EV2). @throws SkeinError KEYS_CHANGED */
function refuseUnconfirmed({ book }: Pick<MainPath, 'book'>, account: AccountId): void {
  const contact = book.get(account)
  if (contact?.trust !== 'changed') return
  throw new SkeinError(
    'KEYS_CHANGED',
    `«${contact.petname}» has other devices or keys than when you verified them. Ask whether that was them, then confirm; until then nothing is sent.`,
  )
}

/** What goes under the seal for a message of ours. @param transfer that of the message, if it offers a file */
export function contentOf(message: StoredMessage, transfer: StoredTransfer | null): OwnContent {
  const { id, hlcMs, hlcCounter, createdAt } = message
  return { id, hlcMs, hlcCounter, createdAt, body: bodyOf(message, transfer) }
}

function bodyOf({ kind, text, replyTo, shared, disappearAfterMs }: StoredMessage, transfer: StoredTransfer | null): OwnContent['body'] {
  if (kind === 'file' && transfer !== null) return { kind, manifest: transfer.manifest }
  const seconds = Math.ceil((disappearAfterMs ?? 0) / 1_000)
  if (kind === 'timer') return { kind, after: seconds }
  if (kind === 'contact' && shared !== null) return { kind, account: shared, name: text }
  return { kind: 'text', text, ...(replyTo === null ? {} : { replyTo }), ...(seconds === 0 ? {} : { disappearAfter: seconds }) }
}

interface SealedStep<T> {
  readonly writes: readonly StoreWrite[]
  readonly result: T
}

/**
 * Commits what `prepare`'s step makes. Waiting is for `prepare`; between the step and the commit nothing waits, so that commits
 * keep the order of the sessions' steps. A commit that fails has taken keys from sessions in memory that the store still has:
 * they are read again, and if only another commit came between, the whole is sealed anew.
 */
export async function commitSealed<T>(
  { store, cipher }: MainPath,
  devices: readonly StoredDevice[],
  prepare: () => Promise<() => SealedStep<T>>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const step = await prepare()
      const { writes, result } = step()
      if (writes.length > 0) await store.commit(writes)
      return result
    } catch (error) {
      for (const { device } of devices) cipher.forget(device)
      if (!isSkeinError(error, 'SESSION_CONFLICT') || attempt >= MAX_TRIES) throw error
    }
  }
}

async function newMessage(
  { clock, stamps, swarm, store }: MainPath,
  contact: StoredContact,
  { id, draft }: { readonly id: MessageId; readonly draft: Draft },
): Promise<StoredMessage> {
  const replyTo = draft.kind === 'text' ? (draft.replyTo ?? null) : null
  if (replyTo !== null && (await store.message(replyTo))?.contact !== contact.account)
    throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id in the conversation.')
  const disappearAfterMs = draft.kind === 'timer' ? draft.disappearAfterMs : await store.disappearAfter(contact.account)
  const stamp = stamps.next()
  return {
    ...UNTOUCHED,
    id,
    contact: contact.account,
    direction: 'out',
    sender: swarm.self,
    kind: draft.kind,
    text: draft.kind === 'text' ? draft.text : draft.kind === 'timer' ? '' : draft.name,
    replyTo,
    shared: draft.kind === 'contact' ? draft.account : null,
    disappearAfterMs,
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
  made: Pick<OutboxRow, 'message' | 'expiresAt' | 'transient' | 'content'>,
): { row: OutboxRow; writes: readonly StoreWrite[] } {
  const { sealed, writes } = sealOrWait(pair, content)
  const row: OutboxRow = { ...made, contact: account, device, seq, sealed, state: 'queued', carriers: [] }
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
