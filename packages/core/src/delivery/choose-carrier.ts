import type { StoredContact } from '../ports/store.ts'

export type Carrier = 'direct' | 'hold'

/** Which carrier takes an envelope for a device of `contact` now (DL3). Mailboxes and the mesh will join here. */
export function chooseCarrier(contact: StoredContact): Carrier {
  return contact.blocked ? 'hold' : 'direct'
}
