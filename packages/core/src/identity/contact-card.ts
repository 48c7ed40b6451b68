/** Contact cards and DHT records: signed by a device of the account whose list they hold (ID7 to ID9). */
import { openBundle } from '../e2ee/bundle.ts'
import { SkeinError } from '../errors/index.ts'
import { type DeviceId, deviceIdFromKey } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import {
  type AccountRecordFields,
  type ContactCardFields,
  decodeAccountRecord,
  decodeContactCard,
  encodeAccountRecord,
  encodeContactCard,
} from '../wire/contact.ts'
import { sameBytes } from '../wire/codec.ts'
import { decodePrekeyBundle } from '../wire/sealed.ts'
import { isSignedBy, sign, type SignedBytes } from '../wire/signed.ts'
import { type DeviceList, openDeviceList } from './device-list.ts'

export interface AccountRecord {
  readonly list: DeviceList
  /** As the account has signed it. */
  readonly signedList: SignedBytes
  readonly relays: readonly string[]
  /** Milliseconds since 1970; the newer one of two wins. */
  readonly issuedAt: number
  /** Device that signed, and its prekey bundle. */
  readonly device: DeviceId
  readonly bundle: SignedBytes
}

export interface ContactCard extends AccountRecord {
  /** What the owner calls itself: a claim, never a key source. */
  readonly name: string
  readonly mailboxes: readonly string[]
  /** Of other devices of the list: each is signed by its own. */
  readonly bundles: readonly DeviceBundle[]
}

export interface DeviceBundle {
  readonly device: DeviceId
  readonly bundle: SignedBytes
}

export function signContactCard(primitives: Primitives, card: ContactCardFields, deviceSeed: Uint8Array): SignedBytes {
  return sign(primitives, 'skein contact card v1', { statement: encodeContactCard(card), seed: deviceSeed })
}

/** @throws SkeinError BAD_FRAME, BAD_SIGNATURE, WRONG_DEVICE */
export function openContactCard(primitives: Primitives, signed: SignedBytes): ContactCard {
  const fields = decodeContactCard(signed.statement)
  if (!isSignedBy(primitives, 'skein contact card v1', { signed, key: fields.deviceKey })) throw badCard()
  const record = openRecordFields(primitives, fields)
  return { ...record, name: fields.name, mailboxes: fields.mailboxes, bundles: openBundles(primitives, record.list, fields.bundles ?? []) }
}

export function signAccountRecord(primitives: Primitives, record: AccountRecordFields, deviceSeed: Uint8Array): SignedBytes {
  return sign(primitives, 'skein account record v1', { statement: encodeAccountRecord(record), seed: deviceSeed })
}

/** @throws SkeinError BAD_FRAME, BAD_SIGNATURE, WRONG_DEVICE */
export function openAccountRecord(primitives: Primitives, signed: SignedBytes): AccountRecord {
  const fields = decodeAccountRecord(signed.statement)
  if (!isSignedBy(primitives, 'skein account record v1', { signed, key: fields.deviceKey })) throw badCard()
  return openRecordFields(primitives, fields)
}

function openRecordFields(primitives: Primitives, fields: AccountRecordFields): AccountRecord {
  const list = openDeviceList(primitives, fields.deviceList)
  const inList = list.devices.some(({ deviceKey }) => deviceKey.every((byte, at) => fields.deviceKey[at] === byte))
  if (!inList) throw badCard()
  const device = deviceIdFromKey(fields.deviceKey)
  openBundle(primitives, fields.bundle, fields.deviceKey)
  return { list, signedList: fields.deviceList, relays: fields.relays, issuedAt: fields.issuedAt, device, bundle: fields.bundle }
}

/** Of devices of the list alone. @throws SkeinError BAD_FRAME, BAD_SIGNATURE */
function openBundles(primitives: Primitives, { devices }: DeviceList, bundles: readonly SignedBytes[]): readonly DeviceBundle[] {
  return bundles.map((bundle) => {
    const { deviceKey } = decodePrekeyBundle(bundle.statement)
    const entry = devices.find((each) => sameBytes(each.deviceKey, deviceKey))
    if (entry === undefined) throw badCard()
    openBundle(primitives, bundle, entry.deviceKey)
    return { device: entry.device, bundle }
  })
}

function badCard(): SkeinError {
  return new SkeinError('BAD_SIGNATURE', 'A card is not signed by a device of its account.')
}
