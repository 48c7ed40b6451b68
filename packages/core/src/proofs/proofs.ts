/**
 * Delivery proofs (DP1 to DP6): devices of a contact sign that they have got a message, where both sides allow it. The other side
 * can then show anybody that you have got it, and what it says; so neither side does it alone, and it is off at first.
 */
import type { ContactBook } from '../contacts/index.ts'
import { SkeinError } from '../errors/index.ts'
import { type AccountId, type DeviceId, deviceKey, messageIdBytes, type MessageId } from '../ids.ts'
import { type Identity, openContactCard } from '../identity/index.ts'
import { inBackground } from '../in-background.ts'
import { type ControlEffect, type MainPath, sendControl } from '../main-path/index.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Store, StoredMessage, StoredProof, StoreWrite } from '../ports/store.ts'
import type { ReceiptFields } from '../wire/delivery-control.ts'
import { concat } from '../e2ee/key-derivation.ts'
import { decodeSigned, encodeSigned, isSignedBy, sign, type SignedBytes } from '../wire/signed.ts'
import type { ProvenMessage, StatementFields } from './statement.ts'

const LABEL = 'skein delivery proof v1'
const SIGNATURE_BYTES = 64
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

interface TakenReceipt {
  readonly id: MessageId
  readonly at: number
  readonly read: boolean
  readonly signature: Uint8Array
  readonly deviceList: Uint8Array | null
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
    const signed = async (id: MessageId, seen: boolean): Promise<Uint8Array> => {
      const message = await store.message(id, 'in')
      if (message === null) return new Uint8Array(SIGNATURE_BYTES)
      const said = { ...ends, deviceKey: identity.deviceKey, at, read: seen }
      return sign(primitives, LABEL, { statement: await this.statement(message, said), seed: identity.deviceSeed }).signature
    }
    return concat(...(await Promise.all([...delivered.map((id) => signed(id, false)), ...read.map((id) => signed(id, true))])))
  }

  /** Keeps what a device of a contact has signed, as far as it is true (DP3). */
  async take(account: AccountId, device: DeviceId, { delivered, read, at, proofs }: ReceiptFields): Promise<void> {
    if (proofs.length === 0 || !this.isAgreed(account)) return
    const all = [...delivered.map((id) => [id, false] as const), ...read.map((id) => [id, true] as const)]
    const deviceList = this.listWith(account, device)
    for (const [index, [id, seen]] of all.entries()) {
      const signature = proofs.slice(index * SIGNATURE_BYTES, (index + 1) * SIGNATURE_BYTES)
      await this.takeOne(account, device, { id, at, read: seen, signature, deviceList })
    }
  }

  /** Its account's devices as they are signed, if it is one of them by the card that is known; a later list may lack it. */
  private listWith(account: AccountId, device: DeviceId): Uint8Array | null {
    const { book, primitives } = this.deps
    const card = book.get(account)?.card ?? new Uint8Array()
    if (card.length === 0) return null
    const { list, signedList } = openContactCard(primitives, decodeSigned(card))
    return list.devices.some((each) => each.device === device) ? encodeSigned(signedList) : null
  }

  private async takeOne(account: AccountId, device: DeviceId, { id, at, read, signature, deviceList }: TakenReceipt): Promise<void> {
    const { store, primitives, identity, book, logger } = this.deps
    const message = await store.message(id, 'out')
    if (message?.contact !== account || message.kind === 'gone' || message.deletedAt !== null) return
    const key = deviceKey(device)
    const ends = { senderAccountKey: identity.accountKey, recipientAccountKey: book.get(account)?.accountKey ?? new Uint8Array() }
    const statement = await this.statement(message, { ...ends, deviceKey: key, at, read })
    if (!isSignedBy(primitives, LABEL, { signed: { statement, signature }, key })) {
      logger.warn('proof-refused', { code: 'BAD_SIGNATURE' })
      return
    }
    const by = read ? `${device} read` : device
    const subject = (await loadStatement()).encodeSubject(message)
    await store.commit([{ kind: 'proof.put', proof: { message: id, kind: 'receipt', by, key, statement, signature, subject, deviceList } }])
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
    const { store } = this.deps
    const message = await store.message(id, 'out')
    if (message === null) throw new SkeinError('MESSAGE_UNKNOWN', 'No message of yours has this id.')
    const proofs = await store.proofs(id)
    const receipts = proofs.filter(({ kind }) => kind === 'receipt')
    if (receipts.length === 0)
      throw new SkeinError(
        'PROOFS_OFF',
        'Nobody has signed that this message came: proofs were not allowed by both of you, or it has not come yet.',
      )
    const stored = proofs.filter(({ kind }) => kind === 'stored')
    return { receipts: await Promise.all(receipts.map((each) => this.provenBy(each, message))), stored }
  }

  /** Where it was not kept what a receipt is about, that is what message and contact show now. */
  private async provenBy({ statement, signature, subject, deviceList }: StoredProof, message: StoredMessage): Promise<ProvenReceipt> {
    const { decodeSubject } = await loadStatement()
    const shown = (): SignedBytes => {
      const card = this.deps.book.get(message.contact)?.card ?? new Uint8Array()
      return openContactCard(this.deps.primitives, decodeSigned(card)).signedList
    }
    return {
      ...{ statement, signature },
      message: subject === null ? message : decodeSubject(subject),
      deviceList: deviceList === null ? shown() : decodeSigned(deviceList),
    }
  }

  private isAgreed(account: AccountId): boolean {
    const { ours, theirs } = this.state(account)
    return ours && theirs
  }

  private async statement(message: StoredMessage, said: Omit<StatementFields, 'messageId' | 'messageDigest'>): Promise<Uint8Array> {
    const { encodeStatement, messageDigest } = await loadStatement()
    return encodeStatement({ ...said, messageId: messageIdBytes(message.id), messageDigest: messageDigest(this.deps.primitives, message) })
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
