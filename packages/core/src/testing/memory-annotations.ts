/** What the store in memory does with what is said about messages, and with time. */
import type { StoredAnnotation, StoredMessage, StoreWrite, WriteOutcome } from '../ports/store.ts'
import { compare, prune, type Tables } from './memory-tables.ts'

export function annotate(tables: Tables, next: StoredAnnotation): WriteOutcome {
  const key = `${next.contact} ${next.target} ${next.own} ${next.kind}`
  const known = tables.annotations.get(key)
  const newer = known === undefined || (next.kind !== 'deletion' && compare(next, known) > 0)
  if (!newer) return 'duplicate'
  tables.annotations.set(key, next)
  tables.annotationOrder = [...tables.annotationOrder, next.id]
  for (const message of [...tables.messages.values()])
    if (message.id === next.target && message.contact === next.contact) refresh(tables, message)
  return 'done'
}

/** A message as everything that is known about it makes it. */
export function refresh({ messages, annotations }: Tables, message: StoredMessage): void {
  if (message.kind === 'gone') return
  const said = (own: boolean, kind: StoredAnnotation['kind']): StoredAnnotation | undefined =>
    annotations.get(`${message.contact} ${message.id} ${own} ${kind}`)
  const ours = message.direction === 'out'
  const [edit, deletion] = [message.kind === 'text' ? said(ours, 'edit') : undefined, said(ours, 'deletion')]
  const reactions = deletion === undefined ? { own: said(true, 'reaction')?.value, other: said(false, 'reaction')?.value } : {}
  messages.set(`${message.id} ${message.sender}`, {
    ...message,
    text: deletion === undefined ? (edit?.value ?? message.text) : '',
    shared: deletion === undefined ? message.shared : null,
    editedAt: edit?.at ?? null,
    deletedAt: deletion?.at ?? null,
    ownReaction: reactions.own || null,
    contactReaction: reactions.other || null,
  })
}

export type TimeWrite = Extract<StoreWrite, { kind: `messages.${string}` }>

export function passTime({ messages, annotations }: Tables, write: TimeWrite): WriteOutcome {
  const read =
    write.kind === 'messages.read'
      ? [...messages.values()].find(({ id, contact }) => id === write.upTo && contact === write.contact)
      : undefined
  for (const [key, message] of messages) {
    const { kind, direction, contact, disappearAfterMs, disappearAt } = message
    if (write.kind === 'messages.disappear') {
      if (disappearAt === null || disappearAt > write.at) continue
      messages.set(key, { ...message, ...GONE })
      prune(annotations, ({ target }) => target === message.id)
    } else if (read !== undefined && contact === read.contact && direction === 'in' && kind !== 'timer' && compare(message, read) <= 0)
      messages.set(key, { ...message, disappearAt: disappearAt ?? (disappearAfterMs === null ? null : write.at + disappearAfterMs) })
  }
  return 'done'
}

const GONE = {
  kind: 'gone',
  text: '',
  shared: null,
  replyTo: null,
  disappearAt: null,
  ownReaction: null,
  contactReaction: null,
} as const
