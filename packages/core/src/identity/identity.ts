import { SkeinError } from '../errors/index.ts'
import type { AccountId, DeviceId } from '../ids.ts'
import { deviceIdFromKey } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { StoredIdentity } from '../ports/store.ts'
import type { DeviceEntryFields } from '../wire/contact.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { signAccountRecord, signContactCard } from './contact-card.ts'
import { accountIdOf, certifyDevice, type DeviceList, openDeviceList, signDeviceList } from './device-list.ts'

/** This device and the account it belongs to, with what only they can sign. */
export interface Identity {
  readonly account: AccountId
  readonly accountKey: Uint8Array
  readonly device: DeviceId
  readonly deviceKey: Uint8Array
  readonly deviceSeed: Uint8Array
  /** Every device of the account holds it. */
  readonly accountSeed: Uint8Array
  /** This device as it stands in device lists. */
  readonly entry: DeviceEntryFields
  /** The account's devices, as our cards show them. */
  readonly list: DeviceList
  readonly signedList: SignedBytes
  readonly listVersion: number
  /** Whether another device has taken this one out of the list. */
  readonly isRevoked: boolean
  readonly dhKey: Uint8Array
  /** X25519, 32 bytes. */
  readonly dhSecret: Uint8Array
  signCard(card: CardDraft): SignedBytes
  signRecord(record: RecordDraft): SignedBytes
  /** Cards show this list from now on. @throws SkeinError BAD_FRAME, BAD_SIGNATURE, CARD_FORGED when it is of another account */
  adopt(list: SignedBytes): void
}

export interface CardDraft extends RecordDraft {
  readonly name: string
  readonly mailboxes?: readonly string[]
  /** Of other devices of the account. */
  readonly bundles?: readonly SignedBytes[]
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
/** Setting with our own device list, once it has had other devices: base64 of the encoded signed list. */
export const LIST_SETTING = 'device-list'
const FIRST_LIST_VERSION = 1

export interface IdentityOptions {
  readonly version?: number
  /** Our own list as it was stored. */
  readonly list?: SignedBytes
}

/** @param options the list that our cards show; without one it is signed here and names this device alone @throws SkeinError as `adopt` */
export function openIdentity(
  primitives: Primitives,
  stored: StoredIdentity,
  { version = FIRST_LIST_VERSION, list }: IdentityOptions = {},
): Identity {
  const { accountSeed, deviceSeed, dhSecret } = stored
  const accountKey = primitives.ed25519PublicKey(accountSeed)
  const deviceKey = primitives.ed25519PublicKey(deviceSeed)
  const dhKey = primitives.x25519PublicKey(dhSecret)
  const entry = certifyDevice(primitives, deviceSeed, dhKey)
  const keys = { accountSeed, accountKey, deviceSeed, deviceKey, dhSecret, dhKey, entry }
  // One that is not the first was signed after a restore: it takes the place of all lists before it.
  const since = version === FIRST_LIST_VERSION ? {} : { since: version }
  return new OpenIdentity(primitives, keys, list ?? signDeviceList(primitives, { accountSeed, version, devices: [entry], ...since }))
}

type Keys = Pick<Identity, 'accountSeed' | 'accountKey' | 'deviceSeed' | 'deviceKey' | 'dhSecret' | 'dhKey' | 'entry'>

class OpenIdentity implements Identity {
  readonly account: AccountId
  readonly accountKey: Uint8Array
  readonly accountSeed: Uint8Array
  readonly device: DeviceId
  readonly deviceKey: Uint8Array
  readonly deviceSeed: Uint8Array
  readonly dhKey: Uint8Array
  readonly dhSecret: Uint8Array
  readonly entry: DeviceEntryFields
  signedList: SignedBytes
  list: DeviceList
  private readonly primitives: Primitives

  constructor(primitives: Primitives, keys: Keys, list: SignedBytes) {
    this.primitives = primitives
    this.accountSeed = keys.accountSeed
    this.accountKey = keys.accountKey
    this.deviceSeed = keys.deviceSeed
    this.deviceKey = keys.deviceKey
    this.dhSecret = keys.dhSecret
    this.dhKey = keys.dhKey
    this.entry = keys.entry
    this.account = accountIdOf(primitives, keys.accountKey)
    this.device = deviceIdFromKey(keys.deviceKey)
    this.signedList = list
    this.list = this.opened(list)
  }

  get listVersion(): number {
    return this.list.version
  }

  get isRevoked(): boolean {
    return !this.list.devices.some(({ device }) => device === this.device)
  }

  signCard(card: CardDraft): SignedBytes {
    const { primitives, signedList: deviceList, deviceKey, deviceSeed } = this
    return signContactCard(primitives, { mailboxes: [], ...card, deviceList, deviceKey }, deviceSeed)
  }

  signRecord(record: RecordDraft): SignedBytes {
    const { primitives, signedList: deviceList, deviceKey, deviceSeed } = this
    return signAccountRecord(primitives, { ...record, deviceList, deviceKey }, deviceSeed)
  }

  adopt(list: SignedBytes): void {
    this.list = this.opened(list)
    this.signedList = list
  }

  private opened(list: SignedBytes): DeviceList {
    const opened = openDeviceList(this.primitives, list)
    if (opened.account === this.account) return opened
    throw new SkeinError('CARD_FORGED', 'A device list is of another account.')
  }
}
