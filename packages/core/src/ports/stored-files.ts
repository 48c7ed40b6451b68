/** What a store keeps of files on their way. */
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import type { Direction } from './store.ts'

/**
 * `offered`: the user has not said yes. `waiting`: for its turn, or for the other side. `paused`: by the user here.
 * `done`, `failed` and `cancelled` are final.
 */
export type TransferState = 'offered' | 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled'

/** A file or folder on its way from or to one contact. */
export interface StoredTransfer {
  /** Of the message that offers it. */
  readonly id: MessageId
  readonly direction: Direction
  readonly contact: AccountId
  /** The device that offered it. */
  readonly device: DeviceId
  readonly state: TransferState
  /** Code of what went wrong; what it waits for. */
  readonly reason: string | null
  /** Encoded; holds the key. */
  readonly manifest: Uint8Array
  /** Where it is read from or put, in the platform's own words. */
  readonly place: string
  /** Bytes of the content that are there and verified: here, or as far as we know at the other side. */
  readonly bytes: number
  /** Sealed bytes sent or received for it, whatever became of them. */
  readonly moved: number
  /** Of the content, in hex, once it is done. */
  readonly sha256: string | null
  /** Where it was put at last. */
  readonly path: string | null
  /** Whether the other side knows how it ended. */
  readonly told: boolean
  /** Of ours: devices that have asked for it, and whether each goes on, as JSON; null for none. */
  readonly askers: string | null
  readonly createdAt: number
  readonly updatedAt: number
}

/** What a contact says about a file by mail, until it has been dealt with. */
export interface StoredFileWord {
  /** Of the message that brought it. */
  readonly id: MessageId
  readonly contact: AccountId
  /** Of the message that offered the file; it may come later. */
  readonly transfer: MessageId
  /** Encoded, as it came. */
  readonly word: Uint8Array
  /** Here, milliseconds since 1970. */
  readonly at: number
}
