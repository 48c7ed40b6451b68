/** What the programs of two devices tell each other about delivery: sealed and carried like messages, in no history. */
import type { OpenedContent } from '../e2ee/session-cipher.ts'
import { isSkeinError } from '../errors/index.ts'
import { type DeviceId, messageIdBytes, messageIdFromBytes, type MessageId } from '../ids.ts'
import type { OutboxRow, StoredDevice, StoreWrite } from '../ports/store.ts'
import { encodeContent } from '../wire/content.ts'
import { decodeDeliveryControl, type DeliveryControlFields, encodeDeliveryControl } from '../wire/delivery-control.ts'
import type { MainPath } from './context.ts'
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
  made: Pick<OutboxRow, 'message' | 'seq' | 'sealed'>,
): OutboxRow {
  const expiresAt = clock.now() + CONTROL_LIFETIME_MS
  return { ...made, contact: account, device, state: 'queued', carriers: [], expiresAt, transient: true }
}

/**
 * Tells a device something, with `beside` in the same commit. @returns whether it is on its way; not where nothing is known
 * to encrypt to the device with @throws SkeinError DISK_FULL, STORE_CLOSED
 */
export async function sendControl(
  path: MainPath,
  known: StoredDevice,
  { control, beside = [] }: { readonly control: DeliveryControlFields; readonly beside?: readonly StoreWrite[] },
): Promise<boolean> {
  const { device } = known
  if (path.book.get(known.account)?.trust === 'changed') return false
  const seq = await path.sequences.next(device)
  try {
    const row = await commitSealed(path, [known], () => sealControl(path, known, { seq, control, beside }))
    path.post(row)
    return true
  } catch (error) {
    if (!isSkeinError(error, 'NO_BUNDLE')) throw error
    return false
  }
}

async function sealControl(
  path: MainPath,
  known: StoredDevice,
  { seq, control, beside }: { readonly seq: number; readonly control: DeliveryControlFields; readonly beside: readonly StoreWrite[] },
): Promise<{ writes: readonly StoreWrite[]; result: OutboxRow }> {
  const { device } = known
  const pair = await path.cipher.pair(device)
  const message = messageIdFromBytes(path.random.bytes(16))
  const stamp = path.stamps.next()
  const body = { kind: 'control', control: encodeDeliveryControl(control) } as const
  const content = encodeContent({ id: message, hlcMs: stamp.ms, hlcCounter: stamp.counter, createdAt: path.clock.now(), body })
  const { sealed, writes } = pair.seal(content)
  const row = transientRow(path, known, { message, seq, sealed })
  const own: readonly StoreWrite[] = [{ kind: 'seq.put', device, seq }, { kind: 'outbox.insert', row }, stampWrite(path.stamps)]
  return { writes: [...writes, ...own, ...beside], result: row }
}

/** Takes in what a device says. @throws SkeinError BAD_FRAME */
export async function commitControl(
  path: MainPath,
  device: DeviceId,
  { id, opened, control }: { readonly id: MessageId; readonly opened: OpenedContent; readonly control: Uint8Array },
): Promise<void> {
  const known = path.book.device(device)
  const effect = known === undefined ? undefined : path.onControl(known, decodeDeliveryControl(control))
  const expiresAt = path.clock.now() + REMEMBER_MS
  await path.store.commit([...opened.writes, { kind: 'digest.put', digest: messageIdBytes(id), expiresAt }, ...(effect?.writes ?? [])])
  effect?.committed()
}
