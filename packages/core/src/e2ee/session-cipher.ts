import type { DeviceId } from '../ids.ts'
import type { StoreWrite } from '../ports/store.ts'

/** `writes` hold the session state and must be committed together with `sealed`, before a byte leaves. */
export interface SealedContent {
  readonly sealed: Uint8Array
  readonly writes: readonly StoreWrite[]
}

/** `writes` hold the session state and must be committed together with what was opened, before it is acknowledged. */
export interface OpenedContent {
  readonly content: Uint8Array
  readonly writes: readonly StoreWrite[]
}

/**
 * Turns encoded contents into bytes for one device, and back. Waiting happens in `pair`, its steps do not wait: whoever
 * hands the writes to the store in the same turn as the step keeps commits in the order of the steps.
 */
export interface SessionCipher {
  /**
   * The sessions with a device, ready for a step; `incoming` is what will be opened, if anything, and `payer` the name of whom it is
   * charged to when it does not open, if that is not the device: who only claims to be it spends nothing of its.
   * @throws SkeinError UNKNOWN_SENDER, BUDGET_SPENT, BAD_FRAME, STORE_CORRUPT
   */
  pair(device: DeviceId, incoming?: Uint8Array, payer?: string): Promise<PairCipher>
  /** Whether `message` names a session with this device: for what came without its sender. @throws SkeinError BAD_FRAME, STORE_CORRUPT */
  knows(device: DeviceId, message: Uint8Array): Promise<boolean>
  /** Whether the session that `message` names was left for one that the other side has answered: it seals in that one. */
  isOver(device: DeviceId, message: Uint8Array): Promise<boolean>
  /** Drops what is held in memory of a device: a commit has failed, and the store has the truth. */
  forget(device: DeviceId): void
}

export interface PairCipher {
  /** @throws SkeinError NO_BUNDLE, KEY_REFUSED */
  seal(content: Uint8Array): SealedContent
  /** Opens what was given to `pair`. @throws SkeinError with a code when it does not open; the state is then unchanged */
  open(): OpenedContent
  /** The other side has made `sealed` durable, and said so over a connection that proves the device: its first flight need not go again. */
  confirm(sealed: Uint8Array): readonly StoreWrite[]
  /** Starts anew, `content` being the first message; `undefined` when that was done in the last `everyMs`, ten minutes if not given. @throws SkeinError NO_BUNDLE, KEY_REFUSED */
  restart(content: Uint8Array, everyMs?: number): SealedContent | undefined
}
