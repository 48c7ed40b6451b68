/** Signatures of contacts about messages of ours: kept as far as they are true, and put together for a proof file. */
import { SkeinError } from '../errors/index.ts'
import { type AccountId, type DeviceId, deviceKey, type MessageId } from '../ids.ts'
import { openContactCard } from '../identity/index.ts'
import type { StoredMessage, StoredProof } from '../ports/store.ts'
import type { ReceiptFields } from '../wire/delivery-control.ts'
import { decodeSigned, encodeSigned, isSignedBy, type SignedBytes } from '../wire/signed.ts'
import type { MessageProof, ProofsDeps, ProvenReceipt } from './proofs.ts'
import { decodeSubject, encodeSubject, PROOF_LABEL, SIGNATURE_BYTES, statementOf } from './statement.ts'

type Deps = Pick<ProofsDeps, 'identity' | 'book' | 'store' | 'primitives' | 'logger'>

interface TakenReceipt {
  readonly device: DeviceId
  readonly id: MessageId
  readonly at: number
  readonly read: boolean
  readonly signature: Uint8Array
  readonly deviceList: Uint8Array | null
}

/** Keeps what a device of a contact has signed, as far as it is true (DP3). */
export async function takeSignatures(
  deps: Deps,
  account: AccountId,
  { device, delivered, read, at, proofs }: Pick<ReceiptFields, 'delivered' | 'read' | 'at' | 'proofs'> & { readonly device: DeviceId },
): Promise<void> {
  const all = [...delivered.map((id) => [id, false] as const), ...read.map((id) => [id, true] as const)]
  const deviceList = listWith(deps, account, device)
  for (const [index, [id, seen]] of all.entries()) {
    const signature = proofs.slice(index * SIGNATURE_BYTES, (index + 1) * SIGNATURE_BYTES)
    await takeOne(deps, account, { device, id, at, read: seen, signature, deviceList })
  }
}

/** Its account's devices as they are signed, if it is one of them by the card that is known; a later list may lack it. */
function listWith({ book, primitives }: Deps, account: AccountId, device: DeviceId): Uint8Array | null {
  const card = book.get(account)?.card ?? new Uint8Array()
  if (card.length === 0) return null
  const { list, signedList } = openContactCard(primitives, decodeSigned(card))
  return list.devices.some((each) => each.device === device) ? encodeSigned(signedList) : null
}

async function takeOne(
  { store, primitives, identity, book, logger }: Deps,
  account: AccountId,
  { device, id, at, read, signature, deviceList }: TakenReceipt,
): Promise<void> {
  const message = await store.message(id, 'out')
  if (message?.contact !== account || message.kind === 'gone' || message.deletedAt !== null) return
  const key = deviceKey(device)
  const ends = { senderAccountKey: identity.accountKey, recipientAccountKey: book.get(account)?.accountKey ?? new Uint8Array() }
  const statement = statementOf(primitives, message, { ...ends, deviceKey: key, at, read })
  if (!isSignedBy(primitives, PROOF_LABEL, { signed: { statement, signature }, key })) {
    logger.warn('proof-refused', { code: 'BAD_SIGNATURE' })
    return
  }
  const by = read ? `${device} read` : device
  const subject = encodeSubject(message)
  await store.commit([{ kind: 'proof.put', proof: { message: id, kind: 'receipt', by, key, statement, signature, subject, deviceList } }])
}

/** @throws SkeinError MESSAGE_UNKNOWN, PROOFS_OFF when nobody has signed anything about it */
export async function proofOf(deps: Deps, id: MessageId): Promise<MessageProof> {
  const message = await deps.store.message(id, 'out')
  if (message === null) throw new SkeinError('MESSAGE_UNKNOWN', 'No message of yours has this id.')
  const proofs = await deps.store.proofs(id)
  const receipts = proofs.filter(({ kind }) => kind === 'receipt')
  if (receipts.length === 0)
    throw new SkeinError(
      'PROOFS_OFF',
      'Nobody has signed that this message came: proofs were not allowed by both of you, or it has not come yet.',
    )
  return { receipts: receipts.map((each) => provenBy(deps, each, message)), stored: proofs.filter(({ kind }) => kind === 'stored') }
}

/** Where it was not kept what a receipt is about, that is what message and contact show now. */
function provenBy({ book, primitives }: Deps, proof: StoredProof, message: StoredMessage): ProvenReceipt {
  const { statement, signature, subject, deviceList } = proof
  const shown = (): SignedBytes => {
    const card = book.get(message.contact)?.card ?? new Uint8Array()
    return openContactCard(primitives, decodeSigned(card)).signedList
  }
  return {
    ...{ statement, signature },
    message: subject === null ? message : decodeSubject(subject),
    deviceList: deviceList === null ? shown() : decodeSigned(deviceList),
  }
}
