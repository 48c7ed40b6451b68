/** What the store in memory does with what is said about messages, and with time. */
import type { StoredAnnotation, StoredMessage, StoreWrite, WriteOutcome } from '../ports/store.ts'
import { compare, prune, type Tables } from './memory-tables.ts'

export function annotate(tables: Tables, next: StoredAnnotation): WriteOutcome {
  const key = `${next.contact} ${next.target} ${next.own} ${next.kind}`
  const about = [...tables.messages.values()].filter(({ id, contact }) => id === next.target && contact === next.contact)
  if (about.some(({ kind }) => kind === 'gone')) return 'duplicate'
  const known = tables.annotations.get(key)
  const newer = known === undefined || (next.kind !== 'deletion' && compare(next, known) > 0)
  if (!newer) return 'duplicate'
  tables.annotations.set(key, next)
  tables.annotationOrder = [...tables.annotationOrder, next.id]
  if (next.own && next.kind === 'deletion') prune(tables.proofs, ({ message }) => message === next.target)
  for (const message of about) refresh(tables, message)
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

/** The other side has yet to learn that a message was taken back. */
function isUntold(outbox: Tables['outbox'], { id, kind }: StoredAnnotation): boolean {
  return kind === 'deletion' && [...outbox.values()].some(({ message }) => message === id)
}

type ClearWrite = Extract<StoreWrite, { kind: 'conversation.clear' }>

/** Only ids stay of a conversation. */
function clear({ messages, annotations, proofs, progress, outbox }: Tables, { contact, hlcMs, hlcCounter }: ClearWrite): WriteOutcome {
  const isUpTo = (each: Pick<StoredMessage, 'hlcMs' | 'hlcCounter'>): boolean =>
    each.hlcMs < hlcMs || (each.hlcMs === hlcMs && each.hlcCounter <= hlcCounter)
  const timer = [...messages.values()]
    .filter((each) => each.contact === contact && each.kind === 'timer')
    .sort(compare)
    .at(-1)
  const inForce = timer?.disappearAfterMs === null ? undefined : timer
  for (const [key, message] of messages) {
    if (message.contact !== contact || !isUpTo(message) || message === inForce) continue
    messages.set(key, { ...message, ...GONE, editedAt: null, deletedAt: null })
    prune(annotations, (each) => each.contact === contact && each.target === message.id && !isUntold(outbox, each))
    prune(proofs, (each) => each.message === message.id)
    prune(progress, (each) => each.message === message.id)
  }
  prune(annotations, (each) => each.contact === contact && isUpTo(each) && !isUntold(outbox, each))
  return 'done'
}

type TimeWrite = Extract<StoreWrite, { kind: `messages.${string}` | 'conversation.clear' }>

export function passTime(tables: Tables, write: TimeWrite): WriteOutcome {
  if (write.kind === 'conversation.clear') return clear(tables, write)
  const { messages, annotations, proofs, outbox } = tables
  for (const [key, message] of messages) {
    const { kind, direction, contact, disappearAfterMs, disappearAt } = message
    if (write.kind === 'messages.disappear') {
      if (disappearAt === null || disappearAt > write.at) continue
      messages.set(key, { ...message, ...GONE })
      prune(annotations, (each) => each.target === message.id && !isUntold(outbox, each))
      if (direction === 'out') prune(proofs, (each) => each.message === message.id)
    } else if (contact === write.contact && direction === 'in' && !message.seen && write.ids.includes(message.id)) {
      const runs = kind !== 'timer' && kind !== 'gone' && disappearAfterMs !== null
      messages.set(key, { ...message, seen: true, disappearAt: disappearAt ?? (runs ? write.at + disappearAfterMs : null) })
    }
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
  seen: true,
} as const
