/**
 * Delivery proofs (DP1 to DP6): devices of a contact sign that they have got a message, where both sides allow it. The other side
 * can then show anybody that you have got it, and what it says; so neither side does it alone, and it is off at first.
 */
import type { ContactBook } from '../contacts/index.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import type { Identity } from '../identity/index.ts'
import { inBackground } from '../in-background.ts'
import { type ControlEffect, type MainPath, sendControl } from '../main-path/index.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Store, StoredMessage, StoredProof, StoreWrite } from '../ports/store.ts'
import type { ReceiptFields } from '../wire/delivery-control.ts'
import { concat } from '../e2ee/key-derivation.ts'
import { sign, type SignedBytes } from '../wire/signed.ts'
import type { ProvenMessage } from './statement.ts'

const EVERYBODY = 'proofs-ours'
const oursOf = (account: AccountId): string => `${EVERYBODY} ${account}`
const theirsOf = (account: AccountId): string => `proofs-theirs ${account}`

function wishWrite(key: string, allowed: boolean): StoreWrite {
  return { kind: 'setting.put', key, value: allowed ? 'on' : 'off' }
}

export interface ProofsDeps {
  readonly identity: Identity
  readonly book: ContactBook
  readonly store: Store
  readonly primitives: Primitives
  readonly logger: Logger
  path(): MainPath
  /** A receipt for a device is durable and due. */
  onReceiptDue(device: DeviceId): void
}

/** Off unless both sides allow proofs: who loads us over a network does not load it before. */
const loadStatement = () => import('./statement.ts')
const loadTaking = () => import('./taking.ts')

/** What a device has signed, and what it was about then: an edit, or a device that is taken out, changes neither (DP6). */
export interface ProvenReceipt extends SignedBytes {
  readonly message: ProvenMessage
  /** Devices of the recipient, signed by its account. */
  readonly deviceList: SignedBytes
}

/** What a proof file is made of. */
export interface MessageProof {
  /** At least one. */
  readonly receipts: readonly ProvenReceipt[]
  readonly stored: readonly StoredProof[]
}

export class Proofs {
  private readonly deps: ProofsDeps
  private readonly wishes = new Map<string, boolean>()

  constructor(deps: ProofsDeps) {
    this.deps = deps
  }

  async load(): Promise<void> {
    const { book, store } = this.deps
    const keys = [EVERYBODY, ...book.all().flatMap(({ account }) => [oursOf(account), theirsOf(account)])]
    for (const key of keys) {
      const value = await store.setting(key)
      if (value === 'on' || value === 'off') this.wishes.set(key, value === 'on')
    }
  }

  /** What we allow those of whom nothing else was said. */
  get everybody(): boolean {
    return this.wishes.get(EVERYBODY) ?? false
  }

  /** What each side allows. */
  state(account: AccountId): { readonly ours: boolean; readonly theirs: boolean } {
    const ours = this.wishes.get(oursOf(account)) ?? this.wishes.get(EVERYBODY) ?? false
    return { ours, theirs: this.wishes.get(theirsOf(account)) ?? false }
  }

  /** Allows proofs, or no longer, for one contact or for all that nothing else was said of; the other side is told. */
  async allow(allowed: boolean, account?: AccountId): Promise<void> {
    await this.keep(account === undefined ? EVERYBODY : oursOf(account), allowed)
    const told = account === undefined ? this.deps.book.all() : [this.deps.book.get(account)]
    for (const contact of told) if (contact?.state === 'accepted' && !contact.blocked) await this.tell(contact.account)
  }

  /** The other side has said whether it allows proofs. */
  onWish(account: AccountId, allowed: boolean): ControlEffect {
    return { writes: [wishWrite(theirsOf(account), allowed)], committed: () => this.wished(account, allowed) }
  }

  private wished(account: AccountId, allowed: boolean): void {
    const isNews = this.state(account).theirs !== allowed
    this.wishes.set(theirsOf(account), allowed)
    // It may not have heard of ours: it was no contact then, or away for long.
    if (isNews && this.state(account).ours) inBackground(this.deps.logger, 'proof-wish-not-sent', this.tell(account))
  }

  /** What is to be durable with a message that comes: whoever sent it is owed a signature (DP2). */
  owed({ id, contact, sender }: StoredMessage): readonly StoreWrite[] {
    return this.isAgreed(contact) ? [{ kind: 'receipt.put', receipt: { device: sender, message: id, read: false } }] : []
  }

  /** A message has come, and is durable with what is owed for it. */
  onIncoming({ contact, sender, direction }: StoredMessage): void {
    if (direction === 'in' && this.isAgreed(contact)) this.deps.onReceiptDue(sender)
  }

  /** Signatures for a receipt, one after the other; none unless both sides allow it. */
  async sign(account: AccountId, { delivered, read, at }: Omit<ReceiptFields, 'kind' | 'proofs'>): Promise<Uint8Array> {
    if (!this.isAgreed(account)) return new Uint8Array()
    const { store, primitives, identity, book } = this.deps
    const ends = { senderAccountKey: book.get(account)?.accountKey ?? new Uint8Array(), recipientAccountKey: identity.accountKey }
    const { PROOF_LABEL, SIGNATURE_BYTES, statementOf } = await loadStatement()
    const signed = async (id: MessageId, seen: boolean): Promise<Uint8Array> => {
      const message = await store.message(id, 'in')
      if (message === null) return new Uint8Array(SIGNATURE_BYTES)
      const said = { ...ends, deviceKey: identity.deviceKey, at, read: seen }
      return sign(primitives, PROOF_LABEL, { statement: statementOf(primitives, message, said), seed: identity.deviceSeed }).signature
    }
    return concat(...(await Promise.all([...delivered.map((id) => signed(id, false)), ...read.map((id) => signed(id, true))])))
  }

  /** Keeps what a device of a contact has signed, as far as it is true (DP3). */
  async take(account: AccountId, device: DeviceId, { delivered, read, at, proofs }: ReceiptFields): Promise<void> {
    if (proofs.length === 0 || !this.isAgreed(account)) return
    await (await loadTaking()).takeSignatures(this.deps, account, { device, delivered, read, at, proofs })
  }

  /** A mailbox has signed that it holds a message of ours. @param key of the relay, 32 bytes */
  async onStored(
    id: MessageId,
    mailbox: string,
    { key, signed }: { readonly key: Uint8Array; readonly signed: SignedBytes },
  ): Promise<void> {
    const message = await this.deps.store.message(id, 'out')
    if (message === null || !this.isAgreed(message.contact)) return
    const proof = { message: id, kind: 'stored', by: mailbox, key, ...signed, subject: null, deviceList: null } as const
    await this.deps.store.commit([{ kind: 'proof.put', proof }])
  }

  /** @throws SkeinError MESSAGE_UNKNOWN, PROOFS_OFF when nobody has signed anything about it */
  async of(id: MessageId): Promise<MessageProof> {
    return (await loadTaking()).proofOf(this.deps, id)
  }

  /** Whether both sides allow proofs. */
  isAgreed(account: AccountId): boolean {
    const { ours, theirs } = this.state(account)
    return ours && theirs
  }

  private async tell(account: AccountId): Promise<void> {
    const { book, logger, path } = this.deps
    const control = { kind: 'proofs', allowed: this.state(account).ours } as const
    for (const device of book.devicesOf(account))
      await sendControl(path(), device, { control }).catch((error: unknown) =>
        logger.warn('proof-wish-not-sent', { reason: String(error) }),
      )
  }

  private async keep(key: string, allowed: boolean): Promise<void> {
    this.wishes.set(key, allowed)
    await this.deps.store.commit([wishWrite(key, allowed)])
  }
}
