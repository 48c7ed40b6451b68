/** Core's Store in memory: copies what it is given and what it hands out, and applies a commit wholly or not at all. */
import { SkeinError } from '../errors/index.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import type {
  Direction,
  DueReceipt,
  HistoryPage,
  Journal,
  JournalPosition,
  MessageProgress,
  OutboxDevice,
  OutboxRow,
  SearchPage,
  Store,
  StoredAnnotation,
  StoredContact,
  StoredDevice,
  StoredIdentity,
  StoredInvite,
  StoredMessage,
  StoredOneTimePrekey,
  StoredPrekey,
  StoredProof,
  StoredSession,
  StoredFileWord,
  StoredTransfer,
  StoreWrite,
  UnseenMessage,
  WriteOutcome,
} from '../ports/store.ts'

import { annotate, passTime } from './memory-annotations.ts'
import { insertMessage, moveMessage, putContact, unseenOf } from './memory-messages.ts'
import {
  changeKeys,
  changeSession,
  compare,
  copy,
  copyTables,
  emptyTables,
  journalOf,
  prune,
  putProof,
  changeFileWords,
  putTransfer,
  type Tables,
} from './memory-tables.ts'
import { isFound } from './search-match.ts'

const rowKey = (device: DeviceId, message: MessageId): string => `${device} ${message}`

export class MemoryStore implements Store {
  private tables: Tables = emptyTables()
  private closed = false
  /** Makes the next commits fail, as a full disk does. */
  full = false

  async commit(writes: readonly StoreWrite[]): Promise<readonly WriteOutcome[]> {
    this.check()
    if (this.full) throw new SkeinError('DISK_FULL', 'The disk is full.')
    const next = copyTables(this.tables)
    const outcomes = writes.map((write) => apply(next, copy(write)))
    this.tables = next
    return outcomes
  }

  async identity(): Promise<StoredIdentity | null> {
    return this.read(({ identity }) => identity)
  }
  async contacts(): Promise<readonly StoredContact[]> {
    return this.read(({ contacts }) => [...contacts.values()].sort((a, b) => (a.petname < b.petname ? -1 : 1)))
  }
  async contact(account: AccountId): Promise<StoredContact | null> {
    return this.read(({ contacts }) => contacts.get(account) ?? null)
  }
  async devices(account?: AccountId): Promise<readonly StoredDevice[]> {
    return this.read(({ devices }) => [...devices.values()].filter((each) => account === undefined || each.account === account))
  }
  async device(device: DeviceId): Promise<StoredDevice | null> {
    return this.read(({ devices }) => devices.get(device) ?? null)
  }
  async invites(): Promise<readonly StoredInvite[]> {
    return this.read(({ invites }) => [...invites.values()])
  }
  async message(id: MessageId, direction?: Direction): Promise<StoredMessage | null> {
    return this.read(
      ({ messages }) => [...messages.values()].find((each) => each.id === id && (direction ?? each.direction) === each.direction) ?? null,
    )
  }

  async history(contact: AccountId, { after, before, limit = 100 }: HistoryPage = {}): Promise<readonly StoredMessage[]> {
    const id = after ?? before
    const mark = id === undefined ? null : await this.message(id)
    if (id !== undefined && mark === null) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
    const side = after === undefined ? -1 : 1
    return this.read(({ messages }) => {
      const all = [...messages.values()].filter(
        (each) => each.contact === contact && each.kind !== 'gone' && (mark === null || side * compare(each, mark) > 0),
      )
      all.sort(compare)
      return after === undefined ? all.slice(-limit) : all.slice(0, limit)
    })
  }

  async unseen(contact: AccountId, limit: number): Promise<readonly UnseenMessage[]> {
    return this.read((tables) => unseenOf(tables, contact, limit))
  }

  async annotation(id: MessageId): Promise<StoredAnnotation | null> {
    return this.read(({ annotations }) => [...annotations.values()].find((each) => each.id === id) ?? null)
  }
  async disappearAfter(contact: AccountId): Promise<number | null> {
    return this.read(({ messages }) => {
      const timers = [...messages.values()].filter((each) => each.contact === contact && each.kind === 'timer')
      return timers.sort(compare).at(-1)?.disappearAfterMs ?? null
    })
  }
  async disappearing(limit: number): Promise<readonly StoredMessage[]> {
    return this.read(({ messages }) =>
      [...messages.values()]
        .filter(({ disappearAt }) => disappearAt !== null)
        .sort((a, b) => (a.disappearAt ?? 0) - (b.disappearAt ?? 0))
        .slice(0, limit),
    )
  }
  async search(query: string, { contact, before, limit = 100 }: SearchPage = {}): Promise<readonly StoredMessage[]> {
    const mark = before === undefined ? null : await this.message(before)
    return this.read(({ messages }) =>
      [...messages.values()]
        .filter((each) => (contact ?? each.contact) === each.contact && (mark === null || compare(each, mark) < 0))
        .filter(({ text }) => isFound(text, query))
        .sort((a, b) => compare(b, a))
        .slice(0, limit),
    )
  }

  async outbox(device: DeviceId, after: number, limit: number): Promise<readonly OutboxRow[]> {
    return this.read(({ outbox }) => {
      const due = [...outbox.values()].filter((row) => row.device === device && row.seq > after)
      return due.sort((a, b) => a.seq - b.seq).slice(0, limit)
    })
  }

  async outboxDevices(): Promise<readonly OutboxDevice[]> {
    return this.read(({ outbox, retries }) => {
      const rows = [...outbox.values()]
      return [...new Set(rows.map(({ device }) => device))].map((device) => ({
        device,
        rows: rows.filter((row) => row.device === device).length,
        ...(retries.get(device) ?? { attempts: 0, nextAt: 0 }),
      }))
    })
  }
  async outboxOf(message: MessageId): Promise<readonly OutboxRow[]> {
    return this.read(({ outbox }) => [...outbox.values()].filter((row) => row.message === message))
  }
  async outboxExpired(now: number, limit: number): Promise<readonly OutboxRow[]> {
    return this.read(({ outbox }) => [...outbox.values()].filter((row) => row.expiresAt <= now).slice(0, limit))
  }
  async journal(after: JournalPosition, limit: number): Promise<Journal> {
    return this.read((tables) => journalOf(tables, after, limit))
  }
  async proofs(message: MessageId): Promise<readonly StoredProof[]> {
    return this.read(({ proofs }) => [...proofs.values()].filter((each) => each.message === message))
  }
  async progress(message: MessageId): Promise<readonly MessageProgress[]> {
    return this.read(({ progress }) => [...progress.values()].filter((each) => each.message === message))
  }
  async receiptDevices(): Promise<readonly DeviceId[]> {
    return this.read(({ receipts }) => [...new Set([...receipts.values()].map(({ device }) => device))])
  }
  async receiptsDue(device: DeviceId, limit: number): Promise<readonly DueReceipt[]> {
    return this.read(({ receipts }) => [...receipts.values()].filter((each) => each.device === device).slice(0, limit))
  }
  async tokens(mailbox: string, giver: AccountId | null, limit: number): Promise<readonly Uint8Array[]> {
    return this.read(({ tokens }) =>
      [...tokens.values()]
        .filter((each) => each.mailbox === mailbox && each.giver === giver)
        .map(({ token }) => token)
        .toReversed()
        .slice(0, limit),
    )
  }

  async session(device: DeviceId): Promise<StoredSession | null> {
    return this.read(({ sessions }) => sessions.get(device) ?? null)
  }
  async prekeys(): Promise<readonly StoredPrekey[]> {
    return this.read(({ prekeys }) => [...prekeys.values()])
  }
  async oneTimePrekeys(device: DeviceId): Promise<readonly StoredOneTimePrekey[]> {
    return this.read(({ oneTimePrekeys }) =>
      [...oneTimePrekeys.values()].filter((each) => each.device === device).sort((a, b) => a.expiresAt - b.expiresAt),
    )
  }
  async hasDigest(digest: Uint8Array): Promise<boolean> {
    return this.read(({ digests }) => digests.has(digest.join()))
  }
  async seq(device: DeviceId): Promise<number> {
    return this.read(({ seqs }) => seqs.get(device) ?? 0)
  }
  async setting(key: string): Promise<string | null> {
    return this.read(({ settings }) => settings.get(key) ?? null)
  }
  async transfers(): Promise<readonly StoredTransfer[]> {
    return this.read(({ transfers }) => [...transfers.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)))
  }
  async fileWords(contact: AccountId, transfer: MessageId): Promise<readonly StoredFileWord[]> {
    return this.read(({ fileWords }) => [...fileWords.values()].filter((word) => word.contact === contact && word.transfer === transfer))
  }

  async transfer(id: MessageId, direction: Direction): Promise<StoredTransfer | null> {
    return this.read(({ transfers }) => transfers.get(`${id} ${direction}`) ?? null)
  }
  async close(): Promise<void> {
    this.closed = true
  }

  /** Takes over what another one holds, as after a restart of the process. */
  takeFrom(other: MemoryStore): void {
    this.tables = copyTables(other.tables)
  }

  /** The same data behind a new handle, as after a restart of the process. */
  reopened(): MemoryStore {
    const store = new MemoryStore()
    store.takeFrom(this)
    return store
  }

  private check(): void {
    if (this.closed) throw new SkeinError('STORE_CLOSED', 'The store is closed.')
  }

  private read<T>(query: (tables: Tables) => T): T {
    this.check()
    return copy(query(this.tables))
  }
}

function apply(tables: Tables, write: StoreWrite): WriteOutcome {
  switch (write.kind) {
    case 'annotation.put':
      return annotate(tables, write.annotation)
    case 'messages.seen':
    case 'messages.disappear':
    case 'conversation.clear':
      return passTime(tables, write)
    case 'message.insert':
      return insertMessage(tables, write.message)
    case 'message.state':
      return moveMessage(tables, write)
    case 'contact.put':
      return putContact(tables, write.contact, write.devices)
    case 'device.seen':
      return patch(tables.devices, write.device, { lastSeen: write.at })
    case 'device.card-sent':
      return patch(tables.devices, write.device, { cardSent: write.issuedAt })
    case 'device.handover':
      return patch(tables.devices, write.device, { handover: write.handover })
    case 'outbox.acknowledged':
      return acknowledge(tables, write)
    case 'outbox.carried':
      return carry(tables, write)
    case 'outbox.recall':
      return patch(tables.outbox, rowKey(write.device, write.message), { carriers: [] })
    case 'outbox.retry':
    case 'progress.put':
    case 'receipt.put':
    case 'receipt.remove':
    case 'receipt.forget':
    case 'token.put':
    case 'token.remove':
    case 'token.trim':
      return changeDelivery(tables, write)
    case 'transfer.put':
    case 'transfer.offer':
    case 'transfer.remove':
      return putTransfer(tables, write)
    case 'file-word.put':
    case 'file-words.remove':
    case 'file-words.prune':
      return changeFileWords(tables, write)
    case 'outbox.reseal':
      return patch(tables.outbox, rowKey(write.device, write.message), { sealed: write.sealed })
    case 'outbox.remove':
      tables.outbox.delete(rowKey(write.device, write.message))
      return 'done'
    case 'session.put':
    case 'session.remove':
      return changeSession(tables, write)
    case 'proof.put':
      return putProof(tables, write.proof)
    case 'prekey.put':
    case 'prekey.remove':
    case 'one-time.put':
    case 'one-time.remove':
    case 'one-time.prune':
    case 'digest.put':
    case 'digest.prune':
      return changeKeys(tables, write)
    default:
      return put(tables, write)
  }
}

function carry(tables: Tables, { message, device, carrier }: Extract<StoreWrite, { kind: 'outbox.carried' }>): WriteOutcome {
  const row = tables.outbox.get(rowKey(device, message))
  if (row === undefined || row.carriers.includes(carrier)) return 'duplicate'
  tables.outbox.set(rowKey(device, message), { ...row, state: 'carried', carriers: [...row.carriers, carrier] })
  return moveMessage(tables, { kind: 'message.state', id: message, state: 'carried', at: 0 })
}

type DeliveryWrite = Extract<StoreWrite, { kind: 'outbox.retry' | 'progress.put' | `token.${string}` | `receipt.${string}` }>

function changeDelivery({ retries, progress, tokens, receipts }: Tables, write: DeliveryWrite): WriteOutcome {
  if (write.kind === 'receipt.put') receipts.set(receiptKey(write.receipt), write.receipt)
  else if (write.kind === 'receipt.remove') receipts.delete(receiptKey(write.receipt))
  else if (write.kind === 'receipt.forget') prune(receipts, ({ device }) => device === write.device)
  else if (write.kind === 'outbox.retry') retries.set(write.device, { attempts: write.attempts, nextAt: write.nextAt })
  else if (write.kind === 'token.put') tokens.set(write.token.join(), tokens.get(write.token.join()) ?? write)
  else if (write.kind === 'token.remove') tokens.delete(write.token.join())
  else if (write.kind === 'token.trim') {
    const held = [...tokens].filter(([, { giver }]) => giver === write.giver)
    for (const [key] of held.slice(0, Math.max(0, held.length - write.most))) tokens.delete(key)
  } else {
    const key = rowKey(write.progress.device, write.progress.message)
    const known = progress.get(key)
    const isNews = known?.state === 'failed' || PROGRESS.indexOf(known?.state ?? 'failed') < PROGRESS.indexOf(write.progress.state)
    if (known === undefined || isNews) progress.set(key, write.progress)
  }
  return 'done'
}

const receiptKey = ({ device, message, read }: DueReceipt): string => `${device} ${message} ${read}`

function acknowledge(tables: Tables, { message, device, state, at }: Extract<StoreWrite, { kind: 'outbox.acknowledged' }>): WriteOutcome {
  const key = rowKey(device, message)
  const [row] = [tables.outbox.get(key), tables.outbox.delete(key)]
  if (row?.transient) return 'done'
  const known = tables.progress.get(key)?.state
  const isKnown = row !== undefined || (known !== undefined && (state === 'read' || known === 'failed'))
  if (!isKnown && (state !== 'read' || !isLeftForOwner(tables, message, device))) return 'duplicate'
  changeDelivery(tables, { kind: 'progress.put', progress: { message, device, state, reason: null, at } })
  return moveMessage(tables, { kind: 'message.state', id: message, state, at })
}

function isLeftForOwner({ messages, devices }: Tables, id: MessageId, device: DeviceId): boolean {
  const owner = devices.get(device)?.account
  const found = [...messages.values()].find((each) => each.id === id && each.direction === 'out' && each.contact === owner)
  return found !== undefined && ['carried', 'delivered', 'read'].includes(found.state)
}

const PROGRESS: readonly MessageProgress['state'][] = ['failed', 'delivered', 'read']

type Put = Extract<StoreWrite, { kind: 'identity.put' | 'invite.put' | 'outbox.insert' | 'seq.put' | 'setting.put' }>

function put(tables: Tables, write: Put): WriteOutcome {
  if (write.kind === 'identity.put') tables.identity = write.identity
  else if (write.kind === 'invite.put') putInvite(tables, write.invite)
  else if (write.kind === 'outbox.insert') {
    const key = rowKey(write.row.device, write.row.message)
    if (!tables.outbox.has(key)) tables.outbox.set(key, write.row)
  } else if (write.kind === 'seq.put') tables.seqs.set(write.device, Math.max(write.seq, tables.seqs.get(write.device) ?? 0))
  else tables.settings.set(write.key, write.value)
  return 'done'
}

function putInvite({ invites }: Tables, invite: StoredInvite): void {
  const key = invite.secret.join()
  const known = invites.get(key) ?? invite
  const admitted = Math.max(known.admitted, invite.admitted)
  invites.set(key, { ...known, revoked: known.revoked || invite.revoked, admitted })
}

function patch<T>(table: Map<string, T>, key: string, change: Partial<T>): WriteOutcome {
  const known = table.get(key)
  if (known !== undefined) table.set(key, { ...known, ...change })
  return 'done'
}
