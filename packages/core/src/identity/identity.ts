import type { AccountId, DeviceId } from '../ids.ts'
import { deviceIdFromKey } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { StoredIdentity } from '../ports/store.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { signAccountRecord, signContactCard } from './contact-card.ts'
import { accountIdOf, certifyDevice, signDeviceList } from './device-list.ts'

/** This device and the account it belongs to, with what only they can sign. */
export interface Identity {
  readonly account: AccountId
  readonly accountKey: Uint8Array
  readonly device: DeviceId
  readonly deviceKey: Uint8Array
  readonly deviceSeed: Uint8Array
  readonly listVersion: number
  readonly dhKey: Uint8Array
  /** X25519, 32 bytes. */
  readonly dhSecret: Uint8Array
  signCard(card: RecordDraft & { readonly name: string; readonly mailboxes?: readonly string[] }): SignedBytes
  signRecord(record: RecordDraft): SignedBytes
}

export interface RecordDraft {
  readonly relays: readonly string[]
  readonly issuedAt: number
  /** Our signed prekey bundle. */
  readonly bundle: SignedBytes
}

/** New keys for a new account with its first device. */
export function makeIdentity(random: Random, now: number): StoredIdentity {
  return { accountSeed: random.bytes(32), deviceSeed: random.bytes(32), dhSecret: random.bytes(32), createdAt: now }
}

/** Setting with the version of our own device list. */
export const LIST_VERSION_SETTING = 'device-list-version'
const FIRST_LIST_VERSION = 1

/** @param listVersion of the device list, which names this device alone until devices can be linked */
export function openIdentity(primitives: Primitives, stored: StoredIdentity, listVersion = FIRST_LIST_VERSION): Identity {
  const { accountSeed, deviceSeed } = stored
  const accountKey = primitives.ed25519PublicKey(accountSeed)
  const deviceKey = primitives.ed25519PublicKey(deviceSeed)
  const dhKey = primitives.x25519PublicKey(stored.dhSecret)
  const entry = certifyDevice(primitives, deviceSeed, dhKey)
  const deviceList = signDeviceList(primitives, { accountSeed, version: listVersion, devices: [entry] })
  return {
    account: accountIdOf(primitives, accountKey),
    accountKey,
    device: deviceIdFromKey(deviceKey),
    deviceKey,
    deviceSeed,
    dhKey,
    dhSecret: stored.dhSecret,
    listVersion,
    signCard: (card) => signContactCard(primitives, { mailboxes: [], ...card, deviceList, deviceKey }, deviceSeed),
    signRecord: (record) => signAccountRecord(primitives, { ...record, deviceList, deviceKey }, deviceSeed),
  }
}
