/** Where bundles and proofs outlive the process. Core's Store keeps it; a mesh that nobody stores for does without. */
import type { BundleKey, HeldBundle } from '../bundle.ts'

/** A proof of delivery as it is kept. */
export interface StoredCure {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** A bundle as it is kept; `from` names the neighbour it came from, empty where it was made. */
export interface ArchivedBundle extends HeldBundle {
  readonly from: string
}

export interface BundleArchive {
  /** All that is kept, in the order in which it came. */
  bundles(): Promise<readonly ArchivedBundle[]>
  /** Durable when it resolves. A bundle that is there already stays. @throws SkeinError DISK_FULL */
  put(bundle: ArchivedBundle, bytes: Uint8Array): Promise<void>
  /** Encoded bundle, or `null`. */
  bytes(key: BundleKey): Promise<Uint8Array | null>
  setCopies(key: BundleKey, copies: number): Promise<void>
  remove(key: BundleKey): Promise<void>
  cures(): Promise<readonly StoredCure[]>
  /** Durable all together when it resolves; of two about one key the later expiry counts. Of more than MAX_CURES the first are forgotten. */
  putCures(cures: readonly StoredCure[]): Promise<void>
  /** Forgets proofs that are older. @param before milliseconds since 1970 */
  pruneCures(before: number): Promise<void>
}
