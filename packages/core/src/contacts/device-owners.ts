/** Whose a device is, when several accounts name it (ID11): an entry in a list can be copied from any card. */
import type { AccountId, DeviceId } from '../ids.ts'
import type { DeviceEntry } from '../identity/index.ts'
import type { ContactState, StoredContact } from '../ports/store.ts'

export interface DeviceClaim {
  readonly account: AccountId
  readonly state: ContactState
  /** The device that has signed what shows the list: it is of this account by its own word. */
  readonly proven: DeviceId | undefined
}

export interface OwnedEntries {
  /** Of this account already, or of nobody known. */
  readonly own: readonly DeviceEntry[]
  /** Known under another account until now. */
  readonly taken: readonly DeviceEntry[]
}

/** The entries that count; those that stay with another account are left out. */
export function entriesOwned(
  entries: readonly DeviceEntry[],
  claim: DeviceClaim,
  ownerOf: (device: DeviceId) => Pick<StoredContact, 'account' | 'state'> | undefined,
): OwnedEntries {
  const isForeign = ({ device }: DeviceEntry): boolean => (ownerOf(device)?.account ?? claim.account) !== claim.account
  // Whoever is no contact yet cannot hold a device against one who is.
  const isBetter = ({ device }: DeviceEntry): boolean =>
    device === claim.proven || (claim.state === 'accepted' && ownerOf(device)?.state !== 'accepted')
  const foreign = entries.filter(isForeign)
  return { own: entries.filter((entry) => !isForeign(entry)), taken: foreign.filter(isBetter) }
}
