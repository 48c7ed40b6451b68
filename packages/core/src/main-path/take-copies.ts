/** Copies of what another device of ours has sent, taken in (DV10). */
import type { DeviceId } from '../ids.ts'
import type { StoredAnnotation, StoredMessage, StoreWrite } from '../ports/store.ts'
import { decodeContent } from '../wire/content.ts'
import { type AnnotationBody, isAnnotation, wordsIn } from './annotation-body.ts'
import type { ControlEffect, MainPath } from './context.ts'
import type { SentWord } from './copies.ts'
import { shownDate } from './shown-date.ts'
import { shownOf, type ShownBody } from './shown.ts'
import { stampWrite } from './stamps.ts'
import { UNTOUCHED } from './untouched.ts'

/** Takes in what another device of ours has sent. @throws SkeinError BAD_FRAME */
export function copiedWrites(path: MainPath, sender: DeviceId, { account, content: bytes }: SentWord): ControlEffect {
  const content = decodeContent(bytes)
  const { body } = content
  const stamp = path.stamps.observe({ ms: content.hlcMs, counter: content.hlcCounter })
  const placed = { id: content.id, contact: account, hlcMs: stamp.ms, hlcCounter: stamp.counter }
  if (path.book.isOwn(account) || body.kind === 'own' || body.kind === 'control' || body.kind === 'file-word' || body.kind === 'reset')
    return { writes: [], committed: () => undefined }
  if (isAnnotation(body)) return copiedAnnotation(path, body, placed)
  return copiedMessage(path, { ...placed, sender, body, createdAt: shownDate(content.createdAt, path.clock.now()) })
}

type Placed = Pick<StoredMessage, 'id' | 'contact' | 'hlcMs' | 'hlcCounter'>

function copiedAnnotation(path: MainPath, body: AnnotationBody, placed: Placed): ControlEffect {
  const annotation: StoredAnnotation = {
    ...placed,
    target: body.target,
    own: true,
    kind: body.kind,
    value: wordsIn(body),
    at: path.clock.now(),
  }
  const tell = async (): Promise<void> => {
    const message = await path.store.message(body.target)
    if (message !== null && message.contact === placed.contact) path.onChanged(message)
  }
  return { writes: [{ kind: 'annotation.put', annotation }, stampWrite(path.stamps)], committed: () => void tell().catch(() => undefined) }
}

function copiedMessage(
  path: MainPath,
  { body, ...placed }: Placed & Pick<StoredMessage, 'sender' | 'createdAt'> & { readonly body: ShownBody },
): ControlEffect {
  const sent = { direction: 'out', state: 'queued', reason: null, receivedAt: path.clock.now(), deliveredAt: null } as const
  const message: StoredMessage = { ...UNTOUCHED, ...shownOf(body), ...placed, ...sent }
  // One that had failed, and is known here, is being sent again.
  const again: StoreWrite = { kind: 'message.state', id: placed.id, state: 'queued', at: path.clock.now() }
  const writes: readonly StoreWrite[] = [{ kind: 'message.insert', message }, again, stampWrite(path.stamps)]
  return { writes, committed: () => path.onMessage(message) }
}
