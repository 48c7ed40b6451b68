/** Saying something about a message of ours or of a contact (MK1 to MK6): seldom wanted, so in a file that is loaded then. */
import { SkeinError } from '../errors/index.ts'
import { messageIdFromBytes } from '../ids.ts'
import type { StoredAnnotation, StoredContact, StoredMessage, StoreWrite } from '../ports/store.ts'
import { contentOfAnnotation } from './annotation.ts'
import { type AnnotationBody, wordsIn } from './annotation-body.ts'
import type { MainPath } from './context.ts'
import { dueToOwn } from './due-to-own.ts'
import { commitForAll } from './send.ts'
import { stampWrite } from './stamps.ts'

/** Words about a message are not given up as messages are: both sides would show another text, and nobody would say so. Milliseconds. */
const TRIED_FOR_MS = 366 * 86_400_000

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
    expiresAt: annotation.at + Math.max(path.expireMs, TRIED_FOR_MS),
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

async function changed(path: MainPath, before: Pick<StoredMessage, 'id' | 'direction'>): Promise<StoredMessage> {
  const message = await path.store.message(before.id, before.direction)
  if (message === null) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
  path.onChanged(message)
  return message
}
