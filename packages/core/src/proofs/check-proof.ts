/** Checking a delivery proof without a network: nothing is believed but signatures (DP4, DP5). */
import { SkeinError } from '../errors/index.ts'
import { type AccountId, type DeviceId, deviceIdFromKey, messageIdFromBytes, type MessageId } from '../ids.ts'
import { accountIdOf, openDeviceList } from '../identity/index.ts'
import type { Primitives } from '../ports/primitives.ts'
import { decode, exactly, sameBytes } from '../wire/codec.ts'
import { MailReceipt } from '../wire/gen/mailbox_pb.ts'
import { DeliveryStatement } from '../wire/gen/proofs_pb.ts'
import { isSignedBy, type SignedBytes } from '../wire/signed.ts'
import { messageDigest, type ProvenMessage, type StatementFields } from './statement.ts'

export interface CheckedReceipt {
  readonly messageId: MessageId
  readonly sender: AccountId
  readonly recipient: AccountId
  readonly device: DeviceId
  /** Milliseconds since 1970, by the device's clock. */
  readonly at: number
  readonly read: boolean
}

/**
 * @param deviceList of the recipient's account
 * @param message what the sender says it was
 * @throws SkeinError PROOF_INVALID
 */
export function checkReceipt(
  primitives: Primitives,
  signed: SignedBytes,
  { deviceList, message }: { readonly deviceList: SignedBytes; readonly message: ProvenMessage },
): CheckedReceipt {
  const said = statementIn(signed.statement)
  if (!isSignedBy(primitives, 'skein delivery proof v1', { signed, key: said.deviceKey })) throw invalid('A signature does not fit.')
  const list = read(() => openDeviceList(primitives, deviceList))
  const isDevice = list.devices.some((entry) => sameBytes(entry.deviceKey, said.deviceKey))
  if (!sameBytes(list.accountKey, said.recipientAccountKey) || !isDevice)
    throw invalid('The device that signed is none of the recipient’s.')
  if (!sameBytes(messageDigest(primitives, message), said.messageDigest))
    throw invalid('The message is another than the one that was acknowledged.')
  return {
    messageId: read(() => messageIdFromBytes(said.messageId)),
    sender: accountIdOf(primitives, said.senderAccountKey),
    recipient: list.account,
    device: deviceIdFromKey(said.deviceKey),
    at: said.at,
    read: said.read,
  }
}

/** @param key of the relay, 32 bytes @returns when it took an envelope, milliseconds since 1970 @throws SkeinError PROOF_INVALID */
export function checkStored(primitives: Primitives, signed: SignedBytes, key: Uint8Array): number {
  if (!isSignedBy(primitives, 'skein mail receipt v1', { signed, key })) throw invalid('A relay’s signature does not fit.')
  return read(() => decode(MailReceipt, signed.statement)).storedAt
}

function statementIn(bytes: Uint8Array): StatementFields {
  return read(() => {
    const said = decode(DeliveryStatement, bytes)
    for (const key of [said.messageDigest, said.senderAccountKey, said.recipientAccountKey, said.deviceKey]) exactly(key, 32)
    return said
  })
}

function read<T>(parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw invalid('It cannot be read.', cause)
  }
}

function invalid(why: string, cause?: unknown): SkeinError {
  return new SkeinError('PROOF_INVALID', `This is no delivery proof. ${why}`, { cause })
}
