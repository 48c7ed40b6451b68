/** What the store in memory does with messages and contacts. */
import type { AccountId } from '../ids.ts'
import type { MessageState, StoredContact, StoredDevice, StoredMessage, StoreWrite, UnseenMessage, WriteOutcome } from '../ports/store.ts'
import { refresh } from './memory-annotations.ts'
import { compare, type Tables } from './memory-tables.ts'

const MAY_FOLLOW: Readonly<Record<MessageState, readonly MessageState[]>> = {
  queued: ['failed'],
  carried: ['queued', 'failed'],
  delivered: ['queued', 'carried', 'failed'],
  read: ['queued', 'carried', 'delivered', 'failed'],
  failed: ['queued', 'carried'],
}

export function insertMessage(tables: Tables, message: StoredMessage): WriteOutcome {
  const { messages } = tables
  const key = `${message.id} ${message.sender}`
  if (messages.has(key)) return 'duplicate'
  messages.set(key, message)
  tables.messageOrder = [...tables.messageOrder, key]
  refresh(tables, message)
  return 'done'
}

export function moveMessage({ messages }: Tables, write: Extract<StoreWrite, { kind: 'message.state' }>): WriteOutcome {
  for (const [key, message] of messages) {
    if (message.id !== write.id || message.direction !== 'out' || !MAY_FOLLOW[write.state].includes(message.state)) continue
    const arrived = write.state === 'delivered' || write.state === 'read'
    const deliveredAt = message.deliveredAt ?? (arrived ? write.at : null)
    // The sender has read it in writing it: it runs from when it is there.
    const runs = arrived && message.kind !== 'timer' && message.kind !== 'gone' && message.disappearAfterMs !== null
    const disappearAt = message.disappearAt ?? (runs ? write.at + (message.disappearAfterMs ?? 0) : null)
    messages.set(key, { ...message, state: write.state, reason: write.reason ?? null, deliveredAt, disappearAt })
  }
  return 'done'
}

export function putContact({ contacts, devices }: Tables, contact: StoredContact, next: readonly StoredDevice[]): WriteOutcome {
  contacts.set(contact.account, contact)
  for (const { device, account } of [...devices.values()])
    if (account === contact.account && !next.some((each) => each.device === device)) devices.delete(device)
  for (const device of next) {
    const known = devices.get(device.device)
    const lastSeen = Math.max(known?.lastSeen ?? 0, device.lastSeen ?? 0) || null
    const handover = known?.handover ?? device.handover
    devices.set(device.device, { ...device, lastSeen, cardSent: Math.max(known?.cardSent ?? 0, device.cardSent), handover })
  }
  return 'done'
}

export function unseenOf({ messages }: Tables, contact: AccountId, limit: number): readonly UnseenMessage[] {
  const unseen = [...messages.values()].filter((each) => each.contact === contact && !each.seen && each.kind !== 'gone')
  return unseen
    .sort(compare)
    .slice(0, limit)
    .map(({ id, sender, hlcMs, hlcCounter }) => ({ id, sender, hlcMs, hlcCounter }))
}
