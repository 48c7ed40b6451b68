import type { DeviceId } from '../ids.ts'
import type { StoreWrite } from '../ports/store.ts'

/**
 * Turns an encoded content into bytes for one device of the recipient, and back. `writes` hold the session state and
 * must be committed together with what was sealed or opened, before a byte leaves or is acknowledged.
 */
export interface SessionCipher {
  seal(device: DeviceId, content: Uint8Array): Promise<{ readonly sealed: Uint8Array; readonly writes: readonly StoreWrite[] }>
  /** @throws SkeinError with a code when the bytes do not open; the state is then unchanged */
  open(device: DeviceId, sealed: Uint8Array): Promise<{ readonly content: Uint8Array; readonly writes: readonly StoreWrite[] }>
}

/**
 * The cipher until sessions exist: relies on the connection's own encryption, so what it makes may travel only on an
 * authenticated stream that ends at the recipient's device, never to a mailbox or another forwarder.
 */
export const streamOnlyCipher: SessionCipher = {
  seal: async (_device, content) => ({ sealed: content, writes: [] }),
  open: async (_device, sealed) => ({ content: sealed, writes: [] }),
}
