/**
 * What the messenger keeps. Reads are plain queries; every change goes through `commit`, whose writes are applied
 * together or not at all and are durable (survive loss of power) when it resolves.
 */
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import type { StoredFileWord, StoredTransfer } from './stored-files.ts'

/** `queued`: here only. `carried`: held by a relay or a mesh neighbour. `failed`: given up, with a reason. */
export type MessageState = 'queued' | 'carried' | 'delivered' | 'read' | 'failed'
export type Direction = 'in' | 'out'

export type * from './stored-files.ts'

export interface StoredMessage {
  readonly id: MessageId
  readonly contact: AccountId
  readonly direction: Direction
  /** Device that wrote it; with `id` unique. */
  readonly sender: DeviceId
  /** `gone`: it has disappeared; only its id stays, so that a late copy is not shown again. `unknown`: of a newer version. */
  readonly kind: 'text' | 'contact' | 'timer' | 'file' | 'unknown' | 'gone'
  /** As last edited; of a contact or file: what its sender calls it. Empty once deleted. */
  readonly text: string
  /** Message that is answered. */
  readonly replyTo: MessageId | null
  /** Account that was shared. */
  readonly shared: AccountId | null
  /** From reading until it disappears, milliseconds. Of a timer: what later texts have; null for none. */
  readonly disappearAfterMs: number | null
  /** When it disappears here; null until it was read. */
  readonly disappearAt: number | null
  readonly editedAt: number | null
  /** When its author took it back. */
  readonly deletedAt: number | null
  readonly ownReaction: string | null
  readonly contactReaction: string | null
  /** Whether the user has seen it, on whichever device; of one's own always. */
  readonly seen: boolean
  readonly state: MessageState
  readonly reason: string | null
  /** Sender's wall clock, milliseconds since 1970. */
  readonly createdAt: number
  /** Hybrid logical clock: milliseconds × 2^16 + counter is too wide for a double, so wall part and counter apart. */
  readonly hlcMs: number
  readonly hlcCounter: number
  readonly receivedAt: number | null
  readonly deliveredAt: number | null
}

/** A message of a contact that the user has not seen. */
export type UnseenMessage = Pick<StoredMessage, 'id' | 'sender' | 'hlcMs' | 'hlcCounter'>

/**
 * What somebody has said about a message; it may come before the message. Of each kind the newest of each side counts,
 * by (hlcMs, hlcCounter, id); a deletion stays. Edits and deletions count for messages of the same side alone (MK2, MK3).
 */
export interface StoredAnnotation {
  /** Id of what brought it. */
  readonly id: MessageId
  readonly contact: AccountId
  readonly target: MessageId
  /** Whether we said it. */
  readonly own: boolean
  readonly kind: 'reaction' | 'edit' | 'deletion'
  /** Emoji or text; an empty reaction takes back. */
  readonly value: string
  readonly hlcMs: number
  readonly hlcCounter: number
  /** Here, milliseconds since 1970. */
  readonly at: number
}

/** One per recipient device. */
export interface OutboxRow {
  readonly message: MessageId
  readonly contact: AccountId
  readonly device: DeviceId
  /** Number of this message among all from this device to that one, from 1; gaps show losses. */
  readonly seq: number
  /** Bytes for the wire, made once; retries reuse them. Empty while nothing is known to encrypt to the device with. */
  readonly sealed: Uint8Array
  readonly state: 'queued' | 'carried'
  /** Who holds it: URLs of mailboxes, `mesh`. */
  readonly carriers: readonly string[]
  /** Given up at this instant, milliseconds since 1970. */
  readonly expiresAt: number
  /** In no history, and gone as soon as a carrier holds it: receipts and the like. */
  readonly transient: boolean
  /** Of what is in no history, what lies under the seal: to be sealed anew for another session. `null` where nobody would miss it. */
  readonly content: Uint8Array | null
}

/** How the tries to reach a device directly stand. */
export interface OutboxDevice {
  readonly device: DeviceId
  readonly rows: number
  /** Tries in a row that led to nothing. */
  readonly attempts: number
  /** Not tried before this instant, milliseconds since 1970; 0 for at once. */
  readonly nextAt: number
}

/** What a device that sent a message is still to be told. */
export interface DueReceipt {
  readonly device: DeviceId
  readonly message: MessageId
  readonly read: boolean
}

/** What has become of a message at one device; while it is in the outbox, its row tells. */
export interface MessageProgress {
  readonly message: MessageId
  readonly device: DeviceId
  readonly state: 'delivered' | 'read' | 'failed'
  readonly reason: string | null
  readonly at: number
}

export type ContactState = 'pending' | 'requested' | 'accepted'

/** `changed`: it was verified, and other devices or keys have come since; nothing is sent until the user has decided. */
export type Trust = 'unverified' | 'verified' | 'changed'

export interface StoredContact {
  readonly account: AccountId
  /** Ed25519 public key, 32 bytes; empty until the card is known. */
  readonly accountKey: Uint8Array
  /** Local name; unique among contacts. */
  readonly petname: string
  /** What the other side calls itself; a claim. */
  readonly claimedName: string
  readonly state: ContactState
  /** Whether the user has compared the safety number. */
  readonly trust: Trust
  /** Encoded signed contact card, empty until known. */
  readonly card: Uint8Array
  readonly listVersion: number
  readonly relays: readonly string[]
  readonly blocked: boolean
  readonly muted: boolean
  readonly addedAt: number
  /** Invite that is still to be proven to the other side, as text; empty when there is none. */
  readonly pendingInvite: string
}

export interface StoredDevice {
  readonly device: DeviceId
  readonly account: AccountId
  /** X25519 public key, 32 bytes. */
  readonly dhKey: Uint8Array
  /** Last sign of life, milliseconds since 1970; null if never seen. */
  readonly lastSeen: number | null
  /** `issuedAt` of our own card that this device has confirmed; 0 if none. */
  readonly cardSent: number
  /** Newest signed prekey bundle of the device, encoded; empty if none is known. */
  readonly bundle: Uint8Array
  /** What the device handed to us alone, encoded (delivery tags, an unused one-time prekey); empty if nothing. */
  readonly handover: Uint8Array
}

/** What others have signed about a message of ours, where both sides allow that. */
export interface StoredProof {
  readonly message: MessageId
  /** `receipt`: by a device of the recipient. `stored`: by a mailbox. */
  readonly kind: 'receipt' | 'stored'
  /** Device id, or URL of the mailbox. */
  readonly by: string
  /** Ed25519 key that signed, 32 bytes. */
  readonly key: Uint8Array
  /** What was signed, and the signature (64 bytes). */
  readonly statement: Uint8Array
  readonly signature: Uint8Array
  /** Of a receipt: the message as it was acknowledged, encoded; an edit changes the message, and not this. `null` where it was not kept. */
  readonly subject: Uint8Array | null
  /** Of a receipt: the recipient's devices as its account had signed them then, encoded; `null` where that was not known. */
  readonly deviceList: Uint8Array | null
}

/** Positions in a store; each is given once and rises with every insertion. */
export interface JournalPosition {
  readonly messages: number
  readonly annotations: number
}

export interface Journal {
  readonly messages: readonly { readonly position: number; readonly message: StoredMessage }[]
  readonly annotations: readonly { readonly position: number; readonly annotation: StoredAnnotation }[]
  /** The highest positions there are. */
  readonly last: JournalPosition
}

export interface StoredInvite {
  /** 16 bytes. */
  readonly secret: Uint8Array
  readonly expiresAt: number
  readonly revoked: boolean
  /** Accounts that became contacts by it. */
  readonly admitted: number
}

export interface StoredIdentity {
  /** Ed25519 seeds and X25519 secret, 32 bytes each. */
  readonly accountSeed: Uint8Array
  readonly deviceSeed: Uint8Array
  readonly dhSecret: Uint8Array
  readonly createdAt: number
}

/** Ratchet states of a pair of devices: their own record, never part of a backup. */
export interface StoredSession {
  readonly device: DeviceId
  /** 1 for the first record of a device; each `session.put` adds one. */
  readonly version: number
  readonly state: Uint8Array
}

/** Private half of one of our prekeys: X25519 secret (32 bytes) and ML-KEM seed (64 bytes). */
export interface StoredPrekey {
  /** 1 to 127. */
  readonly id: number
  readonly secret: Uint8Array
  readonly kemSeed: Uint8Array
  readonly createdAt: number
  /** When its successor was published; `null` for the current one. */
  readonly supersededAt: number | null
}

/** Private half of a prekey that was handed to one device, for one session. */
export interface StoredOneTimePrekey {
  /** 32 bits, not 0; unique among ours. */
  readonly id: number
  /** The only device that may use it. */
  readonly device: DeviceId
  /** X25519, 32 bytes. */
  readonly secret: Uint8Array
  readonly expiresAt: number
}

export type StoreWrite =
  | { readonly kind: 'identity.put'; readonly identity: StoredIdentity }
  | { readonly kind: 'contact.put'; readonly contact: StoredContact; readonly devices: readonly StoredDevice[] }
  | { readonly kind: 'device.seen'; readonly device: DeviceId; readonly at: number }
  | { readonly kind: 'device.card-sent'; readonly device: DeviceId; readonly issuedAt: number }
  | { readonly kind: 'device.handover'; readonly device: DeviceId; readonly handover: Uint8Array }
  /** A known invite stays revoked, and `admitted` never falls, whatever is put later. */
  | { readonly kind: 'invite.put'; readonly invite: StoredInvite }
  /** Inserted once per (id, sender); a second insert changes nothing and is reported as `duplicate`. */
  | { readonly kind: 'message.insert'; readonly message: StoredMessage }
  /** Kept if it is newer than what is known, and applied to its message, now or when that comes; about one that is gone nothing is kept. With a deletion of ours goes what was signed about the message. */
  | { readonly kind: 'annotation.put'; readonly annotation: StoredAnnotation }
  /** The user has seen these messages of a contact at `at`: what disappears after reading runs from then. Those not here change nothing. */
  | { readonly kind: 'messages.seen'; readonly contact: AccountId; readonly ids: readonly MessageId[]; readonly at: number }
  /** What was to disappear by `at` is gone, and what was said and signed about it. */
  | { readonly kind: 'messages.disappear'; readonly at: number }
  /**
   * A conversation up to and including a stamp is gone, as messages that have disappeared are, with what was said, signed and
   * reported about it; the timer that is in force stays.
   */
  | { readonly kind: 'conversation.clear'; readonly contact: AccountId; readonly hlcMs: number; readonly hlcCounter: number }
  /** Moves an outgoing message forward only: queued → carried → delivered → read; `failed` never overwrites `delivered` or `read`. */
  | { readonly kind: 'message.state'; readonly id: MessageId; readonly state: MessageState; readonly at: number; readonly reason?: string }
  | { readonly kind: 'outbox.insert'; readonly row: OutboxRow }
  | { readonly kind: 'outbox.remove'; readonly message: MessageId; readonly device: DeviceId }
  /** A carrier holds a row: its state becomes `carried`, and its message moves so. `duplicate` where the row has gone or the carrier is known. */
  | { readonly kind: 'outbox.carried'; readonly message: MessageId; readonly device: DeviceId; readonly carrier: string }
  /** No carrier counts any more: it is to be handed to them again. */
  | { readonly kind: 'outbox.recall'; readonly message: MessageId; readonly device: DeviceId }
  /**
   * A device says that it has, or its user has seen, a message that was for it: the row goes, and device and message show it.
   * For a message that was never on its way to that device nothing changes and the outcome is `duplicate`; only one that has left for
   * its account may be `read` on it, which had it from another device.
   */
  | {
      readonly kind: 'outbox.acknowledged'
      readonly message: MessageId
      readonly device: DeviceId
      readonly state: 'delivered' | 'read'
      readonly at: number
    }
  /** A device is to be told that a message of its has come, or was seen. */
  | { readonly kind: 'receipt.put'; readonly receipt: DueReceipt }
  | { readonly kind: 'receipt.remove'; readonly receipt: DueReceipt }
  /** All that are due to a device that is one no more. */
  | { readonly kind: 'receipt.forget'; readonly device: DeviceId }
  /** When a device is tried next. */
  | { readonly kind: 'outbox.retry'; readonly device: DeviceId; readonly attempts: number; readonly nextAt: number }
  /** Moves forward only: failed → delivered → read. */
  | { readonly kind: 'progress.put'; readonly progress: MessageProgress }
  /** A token with which mail can be left at a mailbox, once. `giver`: the account that handed it to us; null for one we have fetched. */
  | { readonly kind: 'token.put'; readonly mailbox: string; readonly token: Uint8Array; readonly giver: AccountId | null }
  | { readonly kind: 'token.remove'; readonly token: Uint8Array }
  /** Of the tokens of a giver only the newest `most` stay. */
  | { readonly kind: 'token.trim'; readonly giver: AccountId; readonly most: number }
  /** New bytes for a row that is still there: the session they were sealed in is gone at the other side. */
  | { readonly kind: 'outbox.reseal'; readonly message: MessageId; readonly device: DeviceId; readonly sealed: Uint8Array }
  /** Fails the whole commit with SESSION_CONFLICT unless the stored version is one less: states follow each other without gaps. */
  | { readonly kind: 'session.put'; readonly session: StoredSession }
  /** The sessions with a device that is one no more. */
  | { readonly kind: 'session.remove'; readonly device: DeviceId }
  /** Kept once for each message, kind and signer; the first stays. */
  | { readonly kind: 'proof.put'; readonly proof: StoredProof }
  | { readonly kind: 'prekey.put'; readonly prekey: StoredPrekey }
  | { readonly kind: 'prekey.remove'; readonly id: number }
  | { readonly kind: 'one-time.put'; readonly prekey: StoredOneTimePrekey }
  | { readonly kind: 'one-time.remove'; readonly id: number }
  | { readonly kind: 'one-time.prune'; readonly before: number }
  /** Remembers a digest (32 bytes) until an instant: what must not count twice. */
  | { readonly kind: 'digest.put'; readonly digest: Uint8Array; readonly expiresAt: number }
  | { readonly kind: 'digest.prune'; readonly before: number }
  /** Highest sequence number given to a device. */
  | { readonly kind: 'seq.put'; readonly device: DeviceId; readonly seq: number }
  | { readonly kind: 'transfer.put'; readonly transfer: StoredTransfer }
  /** Ignored where there is one already. */
  | { readonly kind: 'transfer.offer'; readonly transfer: StoredTransfer }
  /** Kept once for each id; dropped, as `duplicate`, when words of its contact would have more than `most` bytes. */
  | { readonly kind: 'file-word.put'; readonly word: StoredFileWord; readonly most: number }
  | { readonly kind: 'file-words.remove'; readonly contact: AccountId; readonly transfer: MessageId }
  | { readonly kind: 'file-words.prune'; readonly before: number }
  | { readonly kind: 'transfer.remove'; readonly id: MessageId; readonly direction: Direction }
  | { readonly kind: 'setting.put'; readonly key: string; readonly value: string }

export type WriteOutcome = 'done' | 'duplicate'

export interface HistoryPage {
  /** Only messages after this one in conversation order. */
  readonly after?: MessageId
  /** Only messages before this one; not together with `after`. */
  readonly before?: MessageId
  /** 1 to 1,000: those that follow `after`, else the newest of what matches. */
  readonly limit?: number
}

export interface SearchPage {
  /** Only in this conversation. */
  readonly contact?: AccountId
  /** Only what is older than this message. */
  readonly before?: MessageId
  /** 1 to 1,000. */
  readonly limit?: number
}

/** @throws SkeinError STORE_CLOSED from every method after `close` */
export interface Store {
  /** Applies all writes in order, atomically and durably; one outcome per write. @throws SkeinError DISK_FULL, STORE_CORRUPT, SESSION_CONFLICT; nothing was applied */
  commit(writes: readonly StoreWrite[]): Promise<readonly WriteOutcome[]>
  identity(): Promise<StoredIdentity | null>
  contacts(): Promise<readonly StoredContact[]>
  contact(account: AccountId): Promise<StoredContact | null>
  devices(account?: AccountId): Promise<readonly StoredDevice[]>
  device(device: DeviceId): Promise<StoredDevice | null>
  invites(): Promise<readonly StoredInvite[]>
  message(id: MessageId, direction?: Direction): Promise<StoredMessage | null>
  /** Oldest first, in order of (hlcMs, hlcCounter, id). */
  history(contact: AccountId, page?: HistoryPage): Promise<readonly StoredMessage[]>
  /** Messages of a contact that the user has not seen, in conversation order, at most `limit`. */
  unseen(contact: AccountId, limit: number): Promise<readonly UnseenMessage[]>
  annotation(id: MessageId): Promise<StoredAnnotation | null>
  /** The newest timer of a conversation, milliseconds; null when there is none or it is off. */
  disappearAfter(contact: AccountId): Promise<number | null>
  /** What disappears next, soonest first. */
  disappearing(limit: number): Promise<readonly StoredMessage[]>
  /**
   * Messages with every word of `query` in their text, each word possibly only its beginning, newest first.
   * Case and accents do not matter.
   */
  search(query: string, page?: SearchPage): Promise<readonly StoredMessage[]>
  /** Rows for a device whose `seq` is greater than `after`, lowest first. */
  outbox(device: DeviceId, after: number, limit: number): Promise<readonly OutboxRow[]>
  outboxDevices(): Promise<readonly OutboxDevice[]>
  /** Rows of one message. */
  outboxOf(message: MessageId): Promise<readonly OutboxRow[]>
  /** Rows that are given up at `now`, at most `limit`. */
  outboxExpired(now: number, limit: number): Promise<readonly OutboxRow[]>
  /** What was inserted behind a position, in the order of insertion, at most `limit` of each kind. */
  journal(after: JournalPosition, limit: number): Promise<Journal>
  proofs(message: MessageId): Promise<readonly StoredProof[]>
  progress(message: MessageId): Promise<readonly MessageProgress[]>
  /** Devices to which a receipt is due. */
  receiptDevices(): Promise<readonly DeviceId[]>
  /** Those due to a device, at most `limit`. */
  receiptsDue(device: DeviceId, limit: number): Promise<readonly DueReceipt[]>
  /** Tokens for a mailbox, the newest first, at most `limit`: those of one giver, or those we have fetched. */
  tokens(mailbox: string, giver: AccountId | null, limit: number): Promise<readonly Uint8Array[]>
  session(device: DeviceId): Promise<StoredSession | null>
  prekeys(): Promise<readonly StoredPrekey[]>
  /** Those handed to a device and not used, the one that expires first before the others. */
  oneTimePrekeys(device: DeviceId): Promise<readonly StoredOneTimePrekey[]>
  /** Whether `digest` was put and has not been pruned. */
  hasDigest(digest: Uint8Array): Promise<boolean>
  /** Highest sequence number given to a device; 0 if none. */
  seq(device: DeviceId): Promise<number>
  setting(key: string): Promise<string | null>
  /** Newest first. */
  transfers(): Promise<readonly StoredTransfer[]>
  transfer(id: MessageId, direction: Direction): Promise<StoredTransfer | null>
  /** About one file, oldest first. */
  fileWords(contact: AccountId, transfer: MessageId): Promise<readonly StoredFileWord[]>
  /** Waits for running commits. Idempotent. */
  close(): Promise<void>
}
