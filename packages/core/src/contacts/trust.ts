/** What a new device list means to a user who has verified the account (EV2, EV3). */
import type { DeviceId } from '../ids.ts'
import type { DeviceEntry } from '../identity/index.ts'
import type { StoredContact, StoredDevice, Trust } from '../ports/store.ts'
import { sameBytes } from '../wire/codec.ts'

/** How the devices of a known contact differ from what was known of them. */
export interface KeyChange {
  readonly contact: StoredContact
  readonly added: readonly DeviceId[]
  /** The same device with another key for encryption. */
  readonly changed: readonly DeviceId[]
  readonly removed: readonly DeviceId[]
}

export function keyChange(known: readonly StoredDevice[], next: readonly DeviceEntry[]): Omit<KeyChange, 'contact'> {
  const before = new Map(known.map(({ device, dhKey }) => [device, dhKey]))
  const after = new Set(next.map(({ device }) => device))
  return {
    added: next.filter(({ device }) => !before.has(device)).map(({ device }) => device),
    changed: next.filter(({ device, dhKey }) => !sameBytes(before.get(device) ?? dhKey, dhKey)).map(({ device }) => device),
    removed: known.filter(({ device }) => !after.has(device)).map(({ device }) => device),
  }
}

/** A device that has gone can read nothing new; one that has come, or has another key, can. */
export function trustAfter(trust: Trust, { added, changed }: Omit<KeyChange, 'contact'>): Trust {
  return trust === 'verified' && added.length + changed.length > 0 ? 'changed' : trust
}
