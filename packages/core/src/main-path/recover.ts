/**
 * Healing a pair whose session states have come apart: one side was restored from an old copy, or has lost its data. Who
 * cannot open asks for a new session inside a new session; who is asked seals anew what is still on its way (ES6, ES7).
 */
import type { OpenedContent, PairCipher, SealedContent } from '../e2ee/session-cipher.ts'
import { isSkeinError } from '../errors/index.ts'
import { type DeviceId, messageIdBytes, messageIdFromBytes, type MessageId } from '../ids.ts'
import type { OutboxRow, StoredDevice, StoredMessage, StoreWrite } from '../ports/store.ts'
import { encodeContent } from '../wire/content.ts'
import { contentOfAnnotation } from './annotation.ts'
import type { MainPath } from './context.ts'
import { REMEMBER_MS, transientRow } from './controls.ts'
import { commitSealed, contentOf } from './send.ts'
import { stampWrite } from './stamps.ts'

/** What does not open for these reasons may be honest: the states of the two sides differ. */
const STATES_DIFFER: readonly string[] = ['SESSION_UNKNOWN', 'PREKEY_UNKNOWN', 'KEY_USED', 'REPLAYED', 'SEAL_BROKEN', 'TOO_FAR_AHEAD']
const PAGE = 64
/** What the old session has sealed opens nowhere any more: it waits until the user has decided. */
const UNSEALED: SealedContent = { sealed: new Uint8Array(), writes: [] }

/** Whether a message of this device is here already: its first copy was committed, the acknowledgement was lost. */
export async function isKnown({ store }: MainPath, sender: DeviceId, id: MessageId): Promise<boolean> {
  const stored = await store.message(id, 'in')
  return stored?.sender === sender || (await store.hasDigest(messageIdBytes(id)))
}

/** Asks the other side to start anew, if `error` says that the states differ and it was not asked lately. Never throws. */
export async function recover(path: MainPath, device: DeviceId, error: unknown): Promise<void> {
  if (isSkeinError(error) && STATES_DIFFER.includes(error.code)) await askToStartAnew(path, device)
}

/** Asks the other side to start anew, if that was not done in the last `everyMs`, ten minutes if not given (ES7). Never throws. */
export async function askToStartAnew(path: MainPath, device: DeviceId, everyMs?: number): Promise<void> {
  try {
    await requestReset(path, device, everyMs)
  } catch (failure) {
    path.logger.warn('session-reset-failed', { code: isSkeinError(failure) ? failure.code : 'unknown' })
  }
}

async function requestReset(path: MainPath, device: DeviceId, everyMs: number | undefined): Promise<void> {
  const known = path.book.device(device)
  if (known === undefined) return
  const seq = await path.sequences.next(device)
  const row = await commitSealed(path, [known], async () => {
    const pair = await path.cipher.pair(device)
    return () => restartStep(path, known, { pair, seq, everyMs })
  })
  if (row === undefined) return
  path.logger.warn('session-restarted', { device })
  path.post(row)
}

function restartStep(
  path: MainPath,
  known: StoredDevice,
  { pair, seq, everyMs }: { readonly pair: PairCipher; readonly seq: number; readonly everyMs: number | undefined },
): { readonly writes: readonly StoreWrite[]; readonly result: OutboxRow | undefined } {
  const { device } = known
  const id = messageIdFromBytes(path.random.bytes(16))
  const stamp = path.stamps.next()
  const content = encodeContent({ id, hlcMs: stamp.ms, hlcCounter: stamp.counter, createdAt: path.clock.now(), body: { kind: 'reset' } })
  const restarted = pair.restart(content, everyMs)
  if (restarted === undefined) return { writes: [], result: undefined }
  const made = transientRow(path, known, { message: id, seq, sealed: restarted.sealed, content: null })
  const own: readonly StoreWrite[] = [{ kind: 'seq.put', device, seq }, { kind: 'outbox.insert', row: made }, stampWrite(path.stamps)]
  return { writes: [...restarted.writes, ...own], result: made }
}

/** The other side has started anew: what it could not open is sealed again. */
export async function commitReset(
  path: MainPath,
  device: DeviceId,
  { id, opened }: { id: MessageId; opened: OpenedContent },
): Promise<void> {
  const expiresAt = path.clock.now() + REMEMBER_MS
  await path.store.commit([...opened.writes, { kind: 'digest.put', digest: messageIdBytes(id), expiresAt }])
  path.logger.warn('session-restarted-by-peer', { device })
  void resealAll(path, device).catch((error: unknown) => path.logger.error('reseal-failed', { reason: String(error) }))
}

/** Seals what waits because nothing was known to encrypt to the device with (DL12). */
export async function sealWaiting(path: MainPath, device: DeviceId): Promise<void> {
  const known = path.book.device(device)
  if (known === undefined || known.bundle.length === 0 || isHeld(path, known)) return
  await resealAll(path, device, ({ sealed }) => sealed.length === 0)
}

/** What was meant for the keys that the user has verified is not sealed to others before the user says so (EV2). */
function isHeld({ book }: MainPath, { account }: StoredDevice): boolean {
  return book.get(account)?.trust === 'changed'
}

async function resealAll(path: MainPath, device: DeviceId, wanted: (row: OutboxRow) => boolean = () => true): Promise<void> {
  const known = path.book.device(device)
  if (known === undefined) return
  let changed = false
  for (let after = 0; ; ) {
    const rows = await path.store.outbox(device, after, PAGE)
    after = rows.at(-1)?.seq ?? after
    const page = rows.filter(wanted)
    if (page.length > 0) await resealPage(path, known, page)
    changed ||= page.length > 0
    if (rows.length < PAGE) break
  }
  if (changed) path.reload(device)
}

async function resealPage(path: MainPath, known: StoredDevice, page: readonly OutboxRow[]): Promise<void> {
  const { device } = known
  const contents = await Promise.all(page.map((row) => contentFor(path, row)))
  await commitSealed(path, [known], async () => {
    const pair = await path.cipher.pair(device)
    const sealOne = ({ message }: OutboxRow, index: number): readonly StoreWrite[] => {
      const content = contents[index]
      if (content === undefined) return [{ kind: 'outbox.remove', message, device }]
      const { sealed, writes: moved } = isHeld(path, known) ? UNSEALED : pair.seal(content)
      // What carriers hold is of no use any more.
      return [...moved, { kind: 'outbox.reseal', message, device, sealed }, { kind: 'outbox.recall', message, device }]
    }
    return () => ({ writes: page.flatMap(sealOne), result: undefined })
  })
}

/** `undefined` for what nobody misses (a request to start anew that has served its purpose), or what is in the history no more. */
async function contentFor({ store }: MainPath, row: OutboxRow): Promise<Uint8Array | undefined> {
  if (row.transient) return row.content ?? undefined
  const message = await store.message(row.message, 'out')
  if (message !== null) return isOver(message) ? undefined : encodeContent(contentOf(message, await store.transfer(message.id, 'out')))
  const annotation = await store.annotation(row.message)
  return annotation === null ? undefined : encodeContent(contentOfAnnotation(annotation))
}

const isOver = ({ kind, deletedAt }: StoredMessage): boolean => kind === 'gone' || deletedAt !== null
