/** Transfers as the API shows them, for tests of what shows them. */
import type { TransferView } from '../client/api/index.ts'

/** A file `a` of one byte from Ana that has been offered, but for what `change` says. */
export const transferView = (change: Partial<TransferView> = {}): TransferView => ({
  transfer: 'a',
  contact: 'ana',
  contact_name: 'Ana',
  direction: 'in',
  state: 'offered',
  reason: null,
  name: 'a',
  media_type: '',
  entries: 0,
  bytes: 0,
  total: 1,
  growing: false,
  moved: 0,
  rate: 0,
  left_ms: null,
  queue: null,
  offered_anew: false,
  replaces: null,
  sha256: null,
  path: null,
  created_at: 1,
  updated_at: 1,
  ...change,
})
