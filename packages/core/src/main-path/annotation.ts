/** What is said about a message: reactions, edits, deletions. Sealed and carried like messages, kept beside them (MK1 to MK6). */
import { messageIdBytes, type MessageId } from '../ids.ts'
import type { StoredAnnotation, StoredContact, StoredMessage, StoreWrite } from '../ports/store.ts'
import type { ContentFields } from '../wire/content.ts'
import { type AnnotationBody, wordsIn } from './annotation-body.ts'
import type { MainPath } from './context.ts'
import { REMEMBER_MS } from './controls.ts'
import type { Outgoing } from './send.ts'
import { stampWrite } from './stamps.ts'

/** What goes under the seal for an annotation of ours. */
export function contentOfAnnotation({ id, hlcMs, hlcCounter, at, kind, target, value }: StoredAnnotation): Outgoing['content'] {
  const common = { id, hlcMs, hlcCounter, createdAt: at }
  if (kind === 'edit') return { ...common, body: { kind, target, text: value } }
  return kind === 'reaction' ? { ...common, body: { kind, target, emoji: value } } : { ...common, body: { kind, target } }
}

/**
 * Takes in what a contact says about a message, which need not be here yet. What they may not say is taken note of, so
 * that it does not come again, and not kept.
 */
export async function commitAnnotation(
  path: MainPath,
  sender: StoredContact,
  { content, body, writes }: { readonly content: ContentFields; readonly body: AnnotationBody; readonly writes: readonly StoreWrite[] },
): Promise<void> {
  const stamp = path.stamps.observe({ ms: content.hlcMs, counter: content.hlcCounter })
  const at = path.clock.now()
  const annotation: StoredAnnotation = {
    id: content.id,
    contact: sender.account,
    target: body.target,
    own: false,
    kind: body.kind,
    value: wordsIn(body),
    hlcMs: stamp.ms,
    hlcCounter: stamp.counter,
    at,
  }
  const digest = messageIdBytes(content.id)
  await path.store.commit([
    ...writes,
    { kind: 'digest.put', digest, expiresAt: at + REMEMBER_MS },
    { kind: 'annotation.put', annotation },
    stampWrite(path.stamps),
  ])
  await tellChanged(path, sender, body)
}

/** An edit or deletion counts for messages of its own side alone (MK3); the store keeps to that, here it is said aloud. */
async function tellChanged(path: MainPath, sender: StoredContact, { target, kind }: AnnotationBody): Promise<void> {
  const message = await messageOf(path, sender, target)
  if (message === null) return
  if (kind !== 'reaction' && message.direction === 'out') path.logger.warn('annotation-refused', { code: 'NOT_YOURS' })
  else path.onChanged(message)
}

async function messageOf({ store }: MainPath, { account }: StoredContact, id: MessageId): Promise<StoredMessage | null> {
  const message = await store.message(id)
  return message?.contact === account && message.kind !== 'gone' ? message : null
}
