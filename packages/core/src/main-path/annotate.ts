/** What is said about a message: reactions, edits, deletions. Sealed and carried like messages, kept beside them (MK1 to MK6). */
import { SkeinError } from '../errors/index.ts'
import { messageIdBytes, type MessageId, messageIdFromBytes } from '../ids.ts'
import type { StoredAnnotation, StoredContact, StoredMessage, StoreWrite } from '../ports/store.ts'
import type { ContentFields } from '../wire/content.ts'
import { type AnnotationBody, wordsIn } from './annotation-body.ts'
import type { MainPath } from './context.ts'
import { REMEMBER_MS } from './controls.ts'
import { dueToOwn } from './due-to-own.ts'
import { commitForAll, type Outgoing } from './send.ts'
import { stampWrite } from './stamps.ts'

/**
 * Says something about a message, to every device of the contact.
 * @returns the message as it is now
 * @throws SkeinError MESSAGE_UNKNOWN, NOT_YOURS (an edit or deletion of theirs, or an edit of what is no text), and as sendMessage
 */
export async function annotate(path: MainPath, body: AnnotationBody): Promise<StoredMessage> {
  // Somebody may have given a message to us the id of one of ours, so that we could not take that back.
  const own = body.kind === 'reaction' ? null : await path.store.message(body.target, 'out')
  const message = own ?? (await path.store.message(body.target))
  const contact = message === null ? undefined : path.book.get(message.contact)
  if (message === null || contact === undefined || message.kind === 'gone' || message.deletedAt !== null)
    throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
  refuseOthers(message, body)
  const annotation = newAnnotation(path, contact, body)
  const withdrawn = body.kind === 'deletion' ? await withdrawal(path, message) : []
  const beside: readonly StoreWrite[] = [{ kind: 'annotation.put', annotation }, stampWrite(path.stamps), ...withdrawn]
  const rows = await commitForAll(path, contact, {
    content: contentOfAnnotation(annotation),
    expiresAt: annotation.at + path.expireMs,
    beside,
  })
  for (const { device } of path.book.devicesOf(contact.account)) if (withdrawn.length > 0) path.reload(device)
  for (const row of rows) path.post(row)
  const now = await changed(path, message)
  if (withdrawn.length > 0 && now.state === 'failed') path.onState(now)
  return now
}

function refuseOthers({ direction, kind }: StoredMessage, body: AnnotationBody): void {
  if (body.kind === 'reaction') return
  if (direction === 'in') throw new SkeinError('NOT_YOURS', 'Only who has written a message can edit it or take it back.')
  if (body.kind === 'edit' && kind !== 'text') throw new SkeinError('NOT_YOURS', 'Only a text can be edited.')
}

/** What has not left yet need not leave any more; a message of which nothing has left is given up (DL17). */
async function withdrawal({ store, clock, book }: MainPath, { id }: StoredMessage): Promise<readonly StoreWrite[]> {
  const rows = await store.outboxOf(id)
  const waiting = rows.filter(({ state }) => state === 'queued')
  const over = { state: 'failed', reason: 'cancelled', at: clock.now() } as const
  const removed = waiting.flatMap(({ message, device }): readonly StoreWrite[] => [
    { kind: 'outbox.remove', message, device },
    { kind: 'progress.put', progress: { message, device, ...over } },
  ])
  if (waiting.length === 0 || waiting.length < rows.length) return removed
  return [...removed, { kind: 'message.state', id, ...over }, ...dueToOwn(book, [id])]
}

function newAnnotation({ random, stamps, clock }: MainPath, contact: StoredContact, body: AnnotationBody): StoredAnnotation {
  const stamp = stamps.next()
  return {
    id: messageIdFromBytes(random.bytes(16)),
    contact: contact.account,
    target: body.target,
    own: true,
    kind: body.kind,
    value: wordsIn(body),
    hlcMs: stamp.ms,
    hlcCounter: stamp.counter,
    at: clock.now(),
  }
}

/** What goes under the seal for an annotation of ours. */
export function contentOfAnnotation({ id, hlcMs, hlcCounter, at, kind, target, value }: StoredAnnotation): Outgoing['content'] {
  const common = { id, hlcMs, hlcCounter, createdAt: at }
  if (kind === 'edit') return { ...common, body: { kind, target, text: value } }
  return kind === 'reaction' ? { ...common, body: { kind, target, emoji: value } } : { ...common, body: { kind, target } }
}

async function changed(path: MainPath, before: Pick<StoredMessage, 'id' | 'direction'>): Promise<StoredMessage> {
  const message = await path.store.message(before.id, before.direction)
  if (message === null) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
  path.onChanged(message)
  return message
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
