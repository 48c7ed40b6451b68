import type { ContactBook } from '../contacts/index.ts'
import type { HybridStamp } from '../delivery/index.ts'
import type { SessionCipher } from '../e2ee/session-cipher.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import type { Envelopes } from './envelopes.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Random } from '../ports/random.ts'
import type { OutboxRow, Store, StoredDevice, StoredMessage, StoreWrite } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import type { DeliveryControlFields } from '../wire/delivery-control.ts'

/** What sending and receiving work with. */
export interface MainPath {
  readonly store: Store
  readonly swarm: Swarm
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly book: ContactBook
  readonly cipher: SessionCipher
  /** For carriers that hold mail; a stream that ends at the recipient's device needs none. */
  readonly envelopes: Envelopes
  /** Ids of messages whose commit is under way, so that a copy that comes meanwhile waits for it. */
  readonly committing: Map<string, Promise<unknown>>
  readonly stamps: StampSource
  readonly sequences: SequenceSource
  /** A row is durable and may go. */
  post(row: OutboxRow): void
  /** The bytes of a device's rows have changed: what its link holds is stale. */
  reload(device: DeviceId): void
  /** A message is given up after so long unless its sender says otherwise (DL13), milliseconds. */
  readonly expireMs: number
  onMessage(message: StoredMessage): void
  /** What is to be durable with a message that comes. */
  owedFor(message: StoredMessage): readonly StoreWrite[]
  /** A message was edited, taken back, or reacted to. */
  onChanged(message: StoredMessage): void
  /** An outgoing message has reached another state. */
  onState(message: StoredMessage): void
  /** What a device says about delivery: writes that belong to the commit of its message, and what follows once that is durable. */
  onControl(device: StoredDevice, control: DeliveryControlFields): ControlEffect
  /** Resolves when words of own devices can be taken in: their code is loaded late, for most accounts have one device. */
  ownWordsReady(): Promise<unknown>
  /** What another device of our account says, encoded. @throws SkeinError BAD_FRAME */
  onOwnWord(device: StoredDevice, own: Uint8Array): ControlEffect
  /** A contact has said something about a file, and it is durable. */
  onFileWord(contact: AccountId, transfer: MessageId): void
  onSignOfLife(device: DeviceId): void
  /** A message with this number has come from a device, by whatever carrier. */
  onArrived(device: DeviceId, seq: number): void
  /** A message has come by a carrier that tells its sender nothing: a receipt is due, and durable. */
  onReceiptDue(device: DeviceId): void
}

/** Our hybrid clock; `current` is what a commit records, so that order survives a restart. */
export interface StampSource {
  next(): HybridStamp
  /** Takes note of somebody else's stamp and returns it as it counts here. */
  observe(stamp: HybridStamp): HybridStamp
  current(): HybridStamp
}

/** Numbers for messages from this device to another, without gaps while commits succeed. */
export interface SequenceSource {
  next(device: DeviceId): Promise<number>
}

export interface ControlEffect {
  readonly writes: readonly StoreWrite[]
  committed(): void
}

export type Recipient = AccountId
