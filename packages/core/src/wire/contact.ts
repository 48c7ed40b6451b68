/** Device lists, contact cards, account records, and `/skein/contact/1`. */
import { SkeinError } from '../errors/index.ts'
import { atMost, decode, encode, exactly } from './codec.ts'
import { AccountRecord, ContactCard, ContactFrame, DeviceList } from './gen/skein_pb.ts'
import { type HandoverFields, handoverMessage, handoverOf } from './handover.ts'
import { MAX_CARD_BUNDLES, MAX_DEVICES, MAX_NAME_CHARS, MAX_RELAYS, MAX_REVOKED, MAX_URL_CHARS } from './limits.ts'
import { type SignedBytes, signedOf } from './signed.ts'

export interface DeviceEntryFields {
  /** Ed25519, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** X25519, 32 bytes. */
  readonly dhKey: Uint8Array
  /** 64 bytes. */
  readonly dhCertificate: Uint8Array
}

export interface DeviceListFields {
  readonly accountKey: Uint8Array
  readonly version: number
  readonly devices: readonly DeviceEntryFields[]
  /** Keys of devices that were taken out, 32 bytes each; at most MAX_REVOKED. */
  readonly revoked?: readonly Uint8Array[]
  /** Lists of a lower version count for nothing. */
  readonly since?: number
}

export interface AccountRecordFields {
  readonly deviceList: SignedBytes
  readonly relays: readonly string[]
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  /** Device that signs, and whose prekey bundle this is. */
  readonly deviceKey: Uint8Array
  readonly bundle: SignedBytes
}

export interface ContactCardFields extends AccountRecordFields {
  readonly name: string
  /** URLs of relays where mail may be left. */
  readonly mailboxes: readonly string[]
  /** Bundles of other devices of the list, at most MAX_CARD_BUNDLES. */
  readonly bundles?: readonly SignedBytes[]
}

export type ContactFrameFields =
  | (ContactFrameCommon & { readonly kind: 'introduction'; readonly inviteHash: Uint8Array })
  | (ContactFrameCommon & { readonly kind: 'answer'; readonly accepted: boolean })

interface ContactFrameCommon {
  readonly card: SignedBytes
  /** 32 bytes, or none. */
  readonly proof: Uint8Array
  readonly handover: HandoverFields | undefined
}

export function encodeDeviceList(list: DeviceListFields): Uint8Array {
  return encode(DeviceList, { ...list, devices: [...list.devices], revoked: [...(list.revoked ?? [])], since: list.since ?? 0 })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeDeviceList(bytes: Uint8Array): DeviceListFields {
  const list = decode(DeviceList, bytes)
  const devices = atMost(list.devices, MAX_DEVICES).map((entry) => ({
    deviceKey: exactly(entry.deviceKey, 32),
    dhKey: exactly(entry.dhKey, 32),
    dhCertificate: exactly(entry.dhCertificate, 64),
  }))
  if (devices.length === 0) throw new SkeinError('BAD_FRAME', 'A device list is empty.')
  const revoked = atMost(list.revoked, MAX_REVOKED).map((key) => exactly(key, 32))
  return { accountKey: exactly(list.accountKey, 32), version: list.version, devices, revoked, since: list.since }
}

function relayList(relays: readonly string[]): readonly string[] {
  for (const url of atMost(relays, MAX_RELAYS)) {
    if (url.length > MAX_URL_CHARS || !/^https?:\/\/[^\s#]+$/.test(url)) throw new SkeinError('BAD_FRAME', 'A relay address is not a URL.')
  }
  return relays
}

export function encodeContactCard(card: ContactCardFields): Uint8Array {
  return encode(ContactCard, { ...card, relays: [...card.relays], mailboxes: [...card.mailboxes], bundles: [...(card.bundles ?? [])] })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeContactCard(bytes: Uint8Array): ContactCardFields {
  const card = decode(ContactCard, bytes)
  if ([...card.name].length > MAX_NAME_CHARS) throw new SkeinError('BAD_FRAME', 'A name is longer than the limit.')
  const bundles = atMost(card.bundles, MAX_CARD_BUNDLES).map(signedOf)
  return { ...recordFields(card), name: card.name, mailboxes: relayList(card.mailboxes), bundles }
}

function recordFields(fields: {
  deviceList?: { statement: Uint8Array; signature: Uint8Array } | undefined
  relays: string[]
  issuedAt: number
  deviceKey: Uint8Array
  bundle?: { statement: Uint8Array; signature: Uint8Array } | undefined
}): AccountRecordFields {
  return {
    deviceList: signedOf(fields.deviceList),
    relays: relayList(fields.relays),
    issuedAt: fields.issuedAt,
    deviceKey: exactly(fields.deviceKey, 32),
    bundle: signedOf(fields.bundle),
  }
}

export function encodeAccountRecord(record: AccountRecordFields): Uint8Array {
  return encode(AccountRecord, { ...record, relays: [...record.relays] })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeAccountRecord(bytes: Uint8Array): AccountRecordFields {
  return recordFields(decode(AccountRecord, bytes))
}

export function encodeContactFrame(frame: ContactFrameFields): Uint8Array {
  const handover = frame.handover === undefined ? undefined : handoverMessage(frame.handover)
  const kind =
    frame.kind === 'answer'
      ? ({ $case: 'answer', value: { ...frame, handover } } as const)
      : ({ $case: 'introduction', value: { ...frame, handover } } as const)
  return encode(ContactFrame, { kind })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeContactFrame(bytes: Uint8Array): ContactFrameFields {
  const { kind } = decode(ContactFrame, bytes)
  if (kind === undefined) throw new SkeinError('BAD_FRAME', 'A contact frame is empty.')
  const { value } = kind
  const common = { card: signedOf(value.card), proof: emptyOr(value.proof, 32), handover: handoverOf(value.handover) }
  if (kind.$case === 'introduction') return { ...common, kind: 'introduction', inviteHash: emptyOr(kind.value.inviteHash, 32) }
  return { ...common, kind: 'answer', accepted: kind.value.accepted }
}

function emptyOr(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.length === 0 ? bytes : exactly(bytes, length)
}
