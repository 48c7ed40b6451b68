/** From what core keeps to what interfaces are shown. */
import type { AccountId, Messenger, MessengerEvent, OutboxEntry, StoredContact, StoredMessage, Swarm, Transfer } from '@skein/core'
import type { Client } from '../assemble.ts'
import type { ClientEvent, ContactView, HistoryMessage, OutboxView, PeerView, SentMessage, SettingsView, TransferView } from './contract.ts'

export function sentView(message: StoredMessage): SentMessage {
  return {
    contact: message.contact,
    id: message.id,
    state: message.state,
    reason: message.reason,
    created_at: message.createdAt,
    delivered_at: message.deliveredAt,
  }
}

export function outboxView(messenger: Messenger, entry: OutboxEntry): OutboxView {
  const { contact, device, message, state, carriers, hold, attempts, nextAt, expiresAt } = entry
  return {
    contact,
    name: messenger.book.get(contact)?.petname ?? '',
    device,
    id: message,
    state,
    carriers: [...carriers],
    hold,
    attempts,
    next_at: nextAt,
    expires_at: expiresAt,
  }
}

export function settingsView({ name, relays, visibility, readReceipts, expireMs, filesFolder }: SettingsView): SettingsView {
  return { name, relays: [...relays], visibility, readReceipts, expireMs, filesFolder }
}

export function transferView(messenger: Messenger, transfer: Transfer): TransferView {
  const { id, contact, direction, state, reason, name, bytes, total, moved, rate, queue, sha256, path } = transfer
  const shown = { direction, state, reason, name, bytes, total, moved, rate, queue, sha256, path, entries: transfer.entries }
  return {
    ...shown,
    transfer: id,
    contact,
    contact_name: messenger.book.get(contact)?.petname ?? '',
    media_type: transfer.mediaType,
    growing: transfer.growing,
    left_ms: transfer.leftMs,
    offered_anew: transfer.offeredAnew,
    replaces: transfer.replaces,
    created_at: transfer.createdAt,
    updated_at: transfer.updatedAt,
  }
}

export function historyView(message: StoredMessage): HistoryMessage {
  return {
    id: message.id,
    direction: message.direction,
    kind: message.kind,
    text: message.text,
    reply_to: message.replyTo,
    shared: message.shared,
    disappear_after_ms: message.disappearAfterMs,
    disappears_at: message.disappearAt,
    edited_at: message.editedAt,
    deleted_at: message.deletedAt,
    own_reaction: message.ownReaction,
    contact_reaction: message.contactReaction,
    seen: message.seen,
    order: { ms: message.hlcMs, counter: message.hlcCounter },
    state: message.state,
    reason: message.reason,
    created_at: message.createdAt,
    received_at: message.receivedAt,
  }
}

export function contactView(messenger: Messenger, contact: StoredContact): ContactView {
  const devices = messenger.book.devicesOf(contact.account)
  const seen = devices.map(({ device, lastSeen }) => messenger.presence.lastSeen(device) ?? lastSeen ?? 0)
  const last = Math.round(Math.max(0, ...seen))
  return {
    contact: contact.account,
    name: contact.petname,
    claimed_name: contact.claimedName,
    state: contact.state,
    online: devices.some(({ device }) => messenger.presence.isPresent(device)),
    last_seen: last === 0 ? null : last,
    trust: contact.trust,
    blocked: contact.blocked,
    muted: contact.muted,
  }
}

/** Everybody who is present or nearby, and every device of a contact. */
export function peerViews({
  messenger,
  swarm,
  nearby,
}: Pick<Client, 'messenger' | 'nearby'> & { readonly swarm: Pick<Swarm, 'paths'> }): PeerView[] {
  const paths = new Map(swarm.paths().map((path) => [path.device, path.path]))
  const contacts = messenger.book.all().flatMap(({ account }) => messenger.book.devicesOf(account).map(({ device }) => device))
  const present = messenger.presence.present()
  const around = new Set(nearby?.())
  const devices = new Set([...contacts, ...present.map(({ device }) => device), ...around])
  return [...devices].map((device) => {
    const owner = messenger.book.ownerOf(device)
    const contact = owner !== undefined && messenger.book.isOwn(owner.account) ? undefined : owner
    const seen = messenger.presence.lastSeen(device) ?? messenger.book.device(device)?.lastSeen ?? null
    return {
      contact: contact?.account ?? null,
      name: contact?.petname ?? present.find((each) => each.device === device)?.name ?? '',
      device,
      online: messenger.presence.isPresent(device) || around.has(device),
      last_seen: seen === null ? null : Math.round(seen),
      path: paths.get(device) ?? 'none',
      asked: messenger.hasAsked(device),
    }
  })
}

/** Our own account is no contact. */
function contactOf({ book }: Messenger, account: AccountId): string | null {
  return book.isOwn(account) ? null : (book.get(account)?.account ?? null)
}

export function eventView(messenger: Messenger, event: MessengerEvent): ClientEvent {
  switch (event.kind) {
    case 'message': {
      const { message } = event
      return {
        event: 'message',
        contact: message.contact,
        name: messenger.book.get(message.contact)?.petname ?? '',
        muted: messenger.book.get(message.contact)?.muted ?? false,
        message: historyView(message),
      }
    }
    case 'state': {
      const { contact, id, state, reason, deliveredAt } = event.message
      return { event: 'state', contact, id, state, reason, delivered_at: deliveredAt }
    }
    case 'changed':
      return { event: 'changed', contact: event.message.contact, message: historyView(event.message) }
    case 'transfer':
      return { event: 'transfer', ...transferView(messenger, event.transfer) }
    case 'typing':
      return { event: 'typing', contact: event.account, active: event.active }
    case 'seen':
      return { event: 'seen', contact: event.account, unread: event.unread }
    case 'cleared':
      return { event: 'cleared', contact: event.account }
    case 'history':
      return { event: 'history', contacts: [...event.accounts] }
    case 'devices':
      return { event: 'devices', revoked: event.revoked }
    case 'presence':
      return { event: 'presence', contact: contactOf(messenger, event.account), device: event.device, online: event.online }
    case 'keys': {
      const { contact, added, changed, removed } = event
      const devices = { added: [...added], changed: [...changed], removed: [...removed] }
      return { event: 'keys', contact: contact.account, name: contact.petname, trust: contact.trust, ...devices }
    }
    case 'contact':
      return { event: 'contact', contact: event.contact.account, name: event.contact.petname, state: event.contact.state }
  }
}
