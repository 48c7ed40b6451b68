/** Tables of the store in memory. */
import type {
  DueReceipt,
  MessageProgress,
  OutboxRow,
  StoredAnnotation,
  StoredContact,
  StoredDevice,
  StoredIdentity,
  StoredInvite,
  StoredMessage,
  StoredOneTimePrekey,
  StoredPrekey,
  StoredSession,
  StoredTransfer,
  StoreWrite,
  WriteOutcome,
} from '../ports/store.ts'

export interface Tables {
  identity: StoredIdentity | null
  contacts: Map<string, StoredContact>
  devices: Map<string, StoredDevice>
  invites: Map<string, StoredInvite>
  messages: Map<string, StoredMessage>
  annotations: Map<string, StoredAnnotation>
  outbox: Map<string, OutboxRow>
  sessions: Map<string, StoredSession>
  seqs: Map<string, number>
  settings: Map<string, string>
  transfers: Map<string, StoredTransfer>
  prekeys: Map<number, StoredPrekey>
  oneTimePrekeys: Map<number, StoredOneTimePrekey>
  digests: Map<string, number>
  retries: Map<string, { readonly attempts: number; readonly nextAt: number }>
  progress: Map<string, MessageProgress>
  receipts: Map<string, DueReceipt>
  tokens: Map<string, { readonly mailbox: string; readonly token: Uint8Array }>
}

export function emptyTables(): Tables {
  return {
    identity: null,
    contacts: new Map(),
    devices: new Map(),
    invites: new Map(),
    messages: new Map(),
    annotations: new Map(),
    outbox: new Map(),
    sessions: new Map(),
    seqs: new Map(),
    settings: new Map(),
    transfers: new Map(),
    prekeys: new Map(),
    oneTimePrekeys: new Map(),
    digests: new Map(),
    retries: new Map(),
    progress: new Map(),
    receipts: new Map(),
    tokens: new Map(),
  }
}

type Ordered = Pick<StoredMessage, 'id' | 'hlcMs' | 'hlcCounter'>

/** In conversation order. */
export function compare(a: Ordered, b: Ordered): number {
  return a.hlcMs - b.hlcMs || a.hlcCounter - b.hlcCounter || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

export function prune<K, V>(table: Map<K, V>, isOld: (value: V) => boolean): void {
  for (const [key, value] of table) if (isOld(value)) table.delete(key)
}

export function putTransfer(
  { transfers }: Tables,
  { kind, transfer }: Extract<StoreWrite, { kind: 'transfer.put' | 'transfer.offer' }>,
): WriteOutcome {
  const key = `${transfer.id} ${transfer.direction}`
  if (kind === 'transfer.put' || !transfers.has(key)) transfers.set(key, transfer)
  return 'done'
}
