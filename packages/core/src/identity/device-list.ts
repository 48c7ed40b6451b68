/** The devices of an account: signed by the account key, version strictly rising, roll-back refused (ID4 to ID6). */
import { SkeinError } from '../errors/index.ts'
import { accountIdFromDigest, type AccountId, type DeviceId, deviceIdFromKey } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import { decodeDeviceList, type DeviceEntryFields, encodeDeviceList } from '../wire/contact.ts'
import { isSignedBy, sign, type SignedBytes } from '../wire/signed.ts'

export interface DeviceEntry {
  readonly device: DeviceId
  /** Ed25519, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** X25519, 32 bytes, certified by the device key. */
  readonly dhKey: Uint8Array
}

export interface DeviceList {
  readonly account: AccountId
  readonly accountKey: Uint8Array
  readonly version: number
  readonly devices: readonly DeviceEntry[]
  /** Devices that were taken out, the latest last. */
  readonly revoked: readonly DeviceId[]
  /** Lists of a lower version count for nothing; 0 where that was never said. */
  readonly since: number
}

export function accountIdOf(primitives: Primitives, accountKey: Uint8Array): AccountId {
  return accountIdFromDigest(primitives.sha256(accountKey))
}

/** Certifies the device's X25519 key with its Ed25519 key. */
export function certifyDevice(primitives: Primitives, deviceSeed: Uint8Array, dhKey: Uint8Array): DeviceEntryFields {
  const { signature } = sign(primitives, 'skein device dh key v1', { statement: dhKey, seed: deviceSeed })
  return { deviceKey: primitives.ed25519PublicKey(deviceSeed), dhKey, dhCertificate: signature }
}

export interface DeviceListDraft {
  readonly accountSeed: Uint8Array
  readonly version: number
  readonly devices: readonly DeviceEntryFields[]
  /** Ed25519 keys, 32 bytes each. */
  readonly revoked?: readonly Uint8Array[]
  readonly since?: number
}

export function signDeviceList(primitives: Primitives, draft: DeviceListDraft): SignedBytes {
  const accountKey = primitives.ed25519PublicKey(draft.accountSeed)
  const { accountSeed: _seed, ...said } = draft
  const statement = encodeDeviceList({ accountKey, ...said })
  return sign(primitives, 'skein device list v1', { statement, seed: draft.accountSeed })
}

/** @throws SkeinError BAD_FRAME, BAD_SIGNATURE when the list or the certificate of any device in it does not verify */
export function openDeviceList(primitives: Primitives, signed: SignedBytes): DeviceList {
  const fields = decodeDeviceList(signed.statement)
  if (!isSignedBy(primitives, 'skein device list v1', { signed, key: fields.accountKey })) {
    throw new SkeinError('BAD_SIGNATURE', 'A device list is not signed by its account.')
  }
  const devices = fields.devices.map((entry) => openEntry(primitives, entry))
  const { accountKey, version, revoked = [], since = 0 } = fields
  return { account: accountIdOf(primitives, accountKey), accountKey, version, devices, revoked: revoked.map(deviceIdFromKey), since }
}

function openEntry(primitives: Primitives, entry: DeviceEntryFields): DeviceEntry {
  const signed = { statement: entry.dhKey, signature: entry.dhCertificate }
  if (!isSignedBy(primitives, 'skein device dh key v1', { signed, key: entry.deviceKey })) {
    throw new SkeinError('BAD_SIGNATURE', 'A device did not certify its own key.')
  }
  return { device: deviceIdFromKey(entry.deviceKey), deviceKey: entry.deviceKey, dhKey: entry.dhKey }
}

/** What is known of an account's newest device list. */
export interface KnownDevices {
  readonly version: number
  readonly devices: readonly Pick<DeviceEntry, 'device' | 'dhKey'>[]
}

/**
 * @throws SkeinError DEVICE_LIST_ROLLED_BACK when `next` is older than what is known of the same account,
 * DEVICE_LIST_FORKED when it has the same version and other devices or keys
 */
export function refuseRollBack(known: KnownDevices, next: DeviceList): void {
  if (next.version < known.version) throw new SkeinError('DEVICE_LIST_ROLLED_BACK', 'This device list is older than the one already known.')
  if (next.version > known.version || isSameSet(known.devices, next.devices)) return
  throw new SkeinError('DEVICE_LIST_FORKED', 'An account has signed two different device lists of one version.')
}

function isSameSet(known: KnownDevices['devices'], next: KnownDevices['devices']): boolean {
  const isIn = (entry: KnownDevices['devices'][number]): boolean =>
    next.some(({ device, dhKey }) => device === entry.device && dhKey.every((byte, at) => entry.dhKey[at] === byte))
  return known.length === next.length && known.every(isIn)
}
