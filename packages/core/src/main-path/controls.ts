/** What the programs of two devices tell each other about delivery: sealed and carried like messages, in no history. */
import type { OpenedContent } from '../e2ee/session-cipher.ts'
import { isSkeinError } from '../errors/index.ts'
import { type AccountId, type DeviceId, messageIdBytes, messageIdFromBytes, type MessageId } from '../ids.ts'
import type { OutboxRow, StoredDevice, StoreWrite } from '../ports/store.ts'
import { encodeContent } from '../wire/content.ts'
import { decodeDeliveryControl, type DeliveryControlFields, encodeDeliveryControl } from '../wire/delivery-control.ts'
import type { OwnWordFields } from '../wire/devices.ts'
import { MAX_FILE_WORDS_BYTES } from '../wire/limits.ts'
import type { ControlEffect, MainPath } from './context.ts'
import { commitSealed } from './send.ts'
import { stampWrite } from './stamps.ts'

/** Ids of messages that are kept in no history are remembered this long, against copies. */
export const REMEMBER_MS = 40 * 86_400_000
/** As long as mail lives: what it would tell is old by then. */
const CONTROL_LIFETIME_MS = 30 * 86_400_000

/** A row for something that is in no history. */
export function transientRow(
  { clock }: Pick<MainPath, 'clock'>,
  { device, account }: StoredDevice,
  made: Pick<OutboxRow, 'message' | 'seq' | 'sealed' | 'content'>,
): OutboxRow {
  const expiresAt = clock.now() + CONTROL_LIFETIME_MS
  return { ...made, contact: account, device, state: 'queued', carriers: [], expiresAt, transient: true }
}

/**
 * Tells a device something, with `beside` in the same commit. @returns whether it is on its way; not where nothing is known
 * to encrypt to the device with @throws SkeinError DISK_FULL, STORE_CLOSED
 */
export function sendControl(
  path: MainPath,
  known: StoredDevice,
  { control, beside = [] }: { readonly control: DeliveryControlFields; readonly beside?: readonly StoreWrite[] },
): Promise<boolean> {
  return sendTransient(path, known, { body: { kind: 'control', control: encodeDeliveryControl(control) }, beside })
}

/** Tells another device of ours something. @returns as sendControl @throws SkeinError DISK_FULL, STORE_CLOSED, FRAME_TOO_LARGE */
export async function sendOwnWord(path: MainPath, known: StoredDevice, word: OwnWordFields): Promise<boolean> {
  const { encodeOwnWord } = await import('../wire/devices.ts')
  return sendTransient(path, known, { body: { kind: 'own', own: encodeOwnWord(word) }, beside: [] })
}

/**
 * Tells a device something about a file, by whatever carrier, with `beside` in the same commit.
 * @returns its row; `undefined` where nothing is known to encrypt to the device with
 * @throws SkeinError DISK_FULL, STORE_CLOSED
 */
export function sendFileWord(
  path: MainPath,
  known: StoredDevice,
  { transfer, word, beside = [] }: { readonly transfer: MessageId; readonly word: Uint8Array; readonly beside?: readonly StoreWrite[] },
): Promise<OutboxRow | undefined> {
  return sendRow(path, known, { body: { kind: 'file-word', transfer, word }, beside })
}

interface Transient {
  readonly body: Extract<Parameters<typeof encodeContent>[0]['body'], { kind: 'control' | 'own' | 'file-word' }>
  readonly beside: readonly StoreWrite[]
}

async function sendTransient(path: MainPath, known: StoredDevice, told: Transient): Promise<boolean> {
  return (await sendRow(path, known, told)) !== undefined
}

async function sendRow(path: MainPath, known: StoredDevice, told: Transient): Promise<OutboxRow | undefined> {
  if (path.book.get(known.account)?.trust === 'changed') return undefined
  const seq = await path.sequences.next(known.device)
  try {
    const row = await commitSealed(path, [known], () => sealTransient(path, known, { ...told, seq }))
    path.post(row)
    return row
  } catch (error) {
    if (!isSkeinError(error, 'NO_BUNDLE')) throw error
    return undefined
  }
}

async function sealTransient(
  path: MainPath,
  known: StoredDevice,
  { seq, body, beside }: Transient & { readonly seq: number },
): Promise<() => { writes: readonly StoreWrite[]; result: OutboxRow }> {
  const { device } = known
  const pair = await path.cipher.pair(device)
  return () => {
    const message = messageIdFromBytes(path.random.bytes(16))
    const stamp = path.stamps.next()
    const content = encodeContent({ id: message, hlcMs: stamp.ms, hlcCounter: stamp.counter, createdAt: path.clock.now(), body })
    const { sealed, writes } = pair.seal(content)
    const row = transientRow(path, known, { message, seq, sealed, content })
    const own: readonly StoreWrite[] = [{ kind: 'seq.put', device, seq }, { kind: 'outbox.insert', row }, stampWrite(path.stamps)]
    return { writes: [...writes, ...own, ...beside], result: row }
  }
}

interface Told {
  readonly id: MessageId
  readonly opened: OpenedContent
}

/** Takes in what a device says. @throws SkeinError BAD_FRAME */
export function commitControl(
  path: MainPath,
  device: DeviceId,
  { control, ...told }: Told & { readonly control: Uint8Array },
): Promise<void> {
  const known = path.book.device(device)
  return commitEffect(path, told, known === undefined ? undefined : path.onControl(known, decodeDeliveryControl(control)))
}

/** Takes in what a contact says about a file: kept until its part of the program has dealt with it (FI35). */
export async function commitFileWord(
  path: MainPath,
  contact: AccountId,
  { id, opened, transfer, word }: Told & { readonly transfer: MessageId; readonly word: Uint8Array },
): Promise<void> {
  const stored = { id, contact, transfer, word, at: path.clock.now() }
  await commitEffect(
    path,
    { id, opened },
    {
      writes: [{ kind: 'file-word.put', word: stored, most: MAX_FILE_WORDS_BYTES }],
      committed: () => path.onFileWord(contact, transfer),
    },
  )
}

/** Takes in what another device of ours says. @throws SkeinError BAD_FRAME */
export function commitOwnWord(path: MainPath, device: DeviceId, { own, ...told }: Told & { readonly own: Uint8Array }): Promise<void> {
  const known = path.book.device(device)
  return commitEffect(path, told, known === undefined ? undefined : path.onOwnWord(known, own))
}

/** In the turn of its caller: what was opened and what follows from it are durable together. */
async function commitEffect({ clock, store }: MainPath, { id, opened }: Told, effect: ControlEffect | undefined): Promise<void> {
  const expiresAt = clock.now() + REMEMBER_MS
  await store.commit([...opened.writes, { kind: 'digest.put', digest: messageIdBytes(id), expiresAt }, ...(effect?.writes ?? [])])
  effect?.committed()
}
