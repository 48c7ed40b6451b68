/** Tables of the store in memory. */
import { SkeinError } from '../errors/index.ts'
import type { AccountId } from '../ids.ts'
import type {
  DueReceipt,
  Journal,
  JournalPosition,
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
  StoredProof,
  StoredSession,
  StoredFileWord,
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
  /** Ids of messages (with their sender) and of annotations, in the order of insertion. */
  messageOrder: readonly string[]
  annotationOrder: readonly string[]
  proofs: Map<string, StoredProof>
  outbox: Map<string, OutboxRow>
  sessions: Map<string, StoredSession>
  seqs: Map<string, number>
  settings: Map<string, string>
  transfers: Map<string, StoredTransfer>
  fileWords: Map<string, StoredFileWord>
  prekeys: Map<number, StoredPrekey>
  oneTimePrekeys: Map<number, StoredOneTimePrekey>
  digests: Map<string, number>
  retries: Map<string, { readonly attempts: number; readonly nextAt: number }>
  progress: Map<string, MessageProgress>
  receipts: Map<string, DueReceipt>
  tokens: Map<string, { readonly mailbox: string; readonly token: Uint8Array; readonly giver: AccountId | null }>
}

export function emptyTables(): Tables {
  return {
    identity: null,
    contacts: new Map(),
    devices: new Map(),
    invites: new Map(),
    messages: new Map(),
    annotations: new Map(),
    messageOrder: [],
    annotationOrder: [],
    proofs: new Map(),
    outbox: new Map(),
    sessions: new Map(),
    seqs: new Map(),
    settings: new Map(),
    transfers: new Map(),
    fileWords: new Map(),
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

export function putTransfer({ transfers }: Tables, write: Extract<StoreWrite, { kind: `transfer.${string}` }>): WriteOutcome {
  const { id, direction } = write.kind === 'transfer.remove' ? write : write.transfer
  const key = `${id} ${direction}`
  if (write.kind === 'transfer.remove') transfers.delete(key)
  else if (write.kind === 'transfer.put' || !transfers.has(key)) transfers.set(key, write.transfer)
  return 'done'
}

export function changeFileWords(
  { fileWords }: Tables,
  write: Extract<StoreWrite, { kind: 'file-word.put' | 'file-words.remove' | 'file-words.prune' }>,
): WriteOutcome {
  if (write.kind === 'file-words.prune') prune(fileWords, ({ at }) => at < write.before)
  else if (write.kind === 'file-words.remove')
    prune(fileWords, ({ contact, transfer }) => contact === write.contact && transfer === write.transfer)
  else {
    const { word, most } = write
    const sizes = [...fileWords.values()].filter(({ contact }) => contact === word.contact).map((each) => each.word.length)
    if (fileWords.has(word.id) || sizes.reduce((sum, size) => sum + size, word.word.length) > most) return 'duplicate'
    fileWords.set(word.id, word)
  }
  return 'done'
}

/** What was inserted behind a position. */
export function journalOf(tables: Tables, after: JournalPosition, limit: number): Journal {
  const { messages, annotations, messageOrder, annotationOrder } = tables
  const byId = new Map([...annotations.values()].map((each) => [each.id as string, each]))
  return {
    messages: behind(messageOrder, after.messages, limit).flatMap(([position, key]) => {
      const message = messages.get(key)
      return message === undefined ? [] : [{ position, message }]
    }),
    annotations: behind(annotationOrder, after.annotations, limit).flatMap(([position, id]) => {
      const annotation = byId.get(id)
      return annotation === undefined ? [] : [{ position, annotation }]
    }),
    last: { messages: messageOrder.length, annotations: annotationOrder.length },
  }
}

function behind(order: readonly string[], after: number, limit: number): readonly (readonly [number, string])[] {
  return order.slice(after, after + limit).map((key, at) => [after + at + 1, key])
}

/** The first one stays. */
export function putProof({ proofs }: Tables, proof: StoredProof): 'done' | 'duplicate' {
  const key = `${proof.message} ${proof.kind} ${proof.by}`
  if (proofs.has(key)) return 'duplicate'
  proofs.set(key, proof)
  return 'done'
}

export function changeSession({ sessions }: Tables, write: Extract<StoreWrite, { kind: `session.${string}` }>): WriteOutcome {
  if (write.kind === 'session.remove') sessions.delete(write.device)
  else putSession(sessions, write.session)
  return 'done'
}

function putSession(sessions: Tables['sessions'], session: StoredSession): void {
  if ((sessions.get(session.device)?.version ?? 0) !== session.version - 1)
    throw new SkeinError('SESSION_CONFLICT', 'An encrypted session has moved on meanwhile.')
  sessions.set(session.device, session)
}

export function copyTables(tables: Tables): Tables {
  const entries = Object.entries(tables).map(([name, table]) => [name, table instanceof Map ? new Map(table) : table])
  return Object.fromEntries(entries) as unknown as Tables
}

/** Bytes are copied, so that a caller who changes his own does not change ours. */
export function copy<T>(value: T): T {
  if (value instanceof Uint8Array) return value.slice() as T
  if (Array.isArray(value)) return value.map(copy) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copy(each)])) as T
}

type KeyWrite = Extract<StoreWrite, { kind: `${'prekey' | 'one-time' | 'digest'}.${string}` }>

export function changeKeys({ prekeys, oneTimePrekeys, digests }: Tables, write: KeyWrite): WriteOutcome {
  if (write.kind === 'prekey.put') prekeys.set(write.prekey.id, write.prekey)
  else if (write.kind === 'prekey.remove') prekeys.delete(write.id)
  else if (write.kind === 'one-time.put') oneTimePrekeys.set(write.prekey.id, write.prekey)
  else if (write.kind === 'one-time.remove') oneTimePrekeys.delete(write.id)
  else if (write.kind === 'one-time.prune') prune(oneTimePrekeys, ({ expiresAt }) => expiresAt < write.before)
  else if (write.kind === 'digest.put') digests.set(write.digest.join(), write.expiresAt)
  else prune(digests, (expiresAt) => expiresAt < write.before)
  return 'done'
}
