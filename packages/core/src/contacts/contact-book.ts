/** Contacts and their devices in memory, written through to the store. */
import { dayOf } from '../e2ee/delivery-tags.ts'
import { SkeinError } from '../errors/index.ts'
import type { AccountId, DeviceId } from '../ids.ts'
import type { ContactCard, DeviceList } from '../identity/index.ts'
import { refuseRollBack } from '../identity/index.ts'
import type { Store, StoredContact, StoredDevice, StoreWrite, Trust } from '../ports/store.ts'
import { decodeHandover, encodeHandover, type HandoverFields, type OneTimePrekey } from '../wire/handover.ts'
import { decodePrekeyBundle } from '../wire/sealed.ts'
import { decodeSigned, encodeSigned, type SignedBytes } from '../wire/signed.ts'
import { entriesOwned } from './device-owners.ts'
import { type KeyChange, keyChange, trustAfter } from './trust.ts'

/** Requests of strangers kept at once (CT6): one who makes up accounts fills this list, not the disk. */
export const MAX_REQUESTS = 64

const NOTHING = new Uint8Array()

export type ContactChange = Partial<Pick<StoredContact, 'state' | 'petname' | 'trust' | 'blocked' | 'muted' | 'pendingInvite'>>

/** Clocks differ by a day at most. */
const MAX_DAYS_AHEAD = 2

export class ContactBook {
  private readonly store: Store
  private readonly contacts = new Map<AccountId, StoredContact>()
  private readonly devices = new Map<DeviceId, StoredDevice>()
  private readonly onKeys: (change: KeyChange) => void
  private readonly own: AccountId | undefined
  private last: Promise<unknown> = Promise.resolve()

  /**
   * @param onKeys told when a known contact has other devices or keys than before
   * @param own our own account: its other devices are kept here as a contact's are, and it is no contact
   */
  constructor(store: Store, onKeys: (change: KeyChange) => void = () => undefined, own?: AccountId) {
    this.store = store
    this.onKeys = onKeys
    this.own = own
  }

  async load(): Promise<void> {
    for (const contact of await this.store.contacts()) this.contacts.set(contact.account, contact)
    for (const device of await this.store.devices()) this.devices.set(device.device, device)
  }

  /** Contacts; our own account is none. */
  all(): readonly StoredContact[] {
    return this.everyone().filter(({ account }) => account !== this.own)
  }

  /** Whose devices may write to us: contacts, and our own account if it has other devices. */
  everyone(): readonly StoredContact[] {
    return [...this.contacts.values()]
  }

  isOwn(account: AccountId): boolean {
    return account === this.own
  }

  /** Our account's other devices. */
  ownDevices(): readonly StoredDevice[] {
    return this.own === undefined ? [] : this.devicesOf(this.own)
  }

  get(account: AccountId): StoredContact | undefined {
    return this.contacts.get(account)
  }

  devicesOf(account: AccountId): readonly StoredDevice[] {
    return [...this.devices.values()].filter((device) => device.account === account)
  }

  device(device: DeviceId): StoredDevice | undefined {
    return this.devices.get(device)
  }

  ownerOf(device: DeviceId): StoredContact | undefined {
    const known = this.devices.get(device)
    return known === undefined ? undefined : this.contacts.get(known.account)
  }

  /** Whether a device is one of an accepted contact who is not blocked, or of our own account: who merely asks is none. */
  isContact(device: DeviceId): boolean {
    const owner = this.ownerOf(device)
    return owner?.state === 'accepted' && !owner.blocked
  }

  /** Whether touch is kept with a device (CT5): with those that have not answered yet as well. */
  isLookedAfter(device: DeviceId): boolean {
    const owner = this.ownerOf(device)
    return owner !== undefined && !owner.blocked && owner.state !== 'requested'
  }

  /**
   * A contact by petname, account id or a prefix of one.
   * @throws SkeinError CONTACT_UNKNOWN, CONTACT_AMBIGUOUS
   */
  find(text: string): StoredContact {
    const exact = this.all().filter(({ petname, account }) => petname === text || account === text)
    const matches =
      exact.length > 0 ? exact : this.all().filter(({ account }) => text.length >= 4 && account.startsWith(text.toLowerCase()))
    if (matches.length > 1) throw new SkeinError('CONTACT_AMBIGUOUS', `More than one contact is called «${text}»; use the account id.`)
    const [contact] = matches
    if (contact === undefined) throw new SkeinError('CONTACT_UNKNOWN', `No contact is called «${text}».`)
    return contact
  }

  /** Records a verified card. @throws SkeinError DEVICE_LIST_ROLLED_BACK, DEVICE_LIST_FORKED */
  putCard(card: ContactCard, signed: SignedBytes, change: ContactChange): Promise<StoredContact> {
    return this.putNewer(card.list, { change, proven: card.device }, (known, list) => ({
      contact: this.contactOf(card, signed, { ...change, trust: known }),
      devices: this.entriesOf(list.account, list.devices, card),
    }))
  }

  /** Records a newer list of a known contact. @throws SkeinError CONTACT_UNKNOWN, DEVICE_LIST_ROLLED_BACK, DEVICE_LIST_FORKED */
  putList(list: DeviceList): Promise<StoredContact> {
    return this.putNewer(list, { change: {} }, (trust, { devices }) => {
      const known = this.contacts.get(list.account)
      if (known === undefined) throw new SkeinError('CONTACT_UNKNOWN', 'There is no such contact.')
      return { contact: { ...known, listVersion: list.version, trust }, devices: this.entriesOf(list.account, devices) }
    })
  }

  /** @param proven the device that has itself shown this list */
  private putNewer(
    signedList: DeviceList,
    { change, proven }: { readonly change: ContactChange; readonly proven?: DeviceId },
    made: (trust: Trust, list: DeviceList) => { readonly contact: StoredContact; readonly devices: readonly StoredDevice[] },
  ): Promise<StoredContact> {
    return this.inTurn(async () => {
      const known = this.contacts.get(signedList.account)
      const before = known === undefined ? [] : this.devicesOf(known.account)
      const claim = { account: signedList.account, state: change.state ?? known?.state ?? 'pending', proven }
      const { own, taken } = entriesOwned(signedList.devices, claim, (device) => this.ownerOf(device))
      const list = { ...signedList, devices: [...own, ...taken] }
      if (known !== undefined) refuseRollBack({ version: known.listVersion, devices: before }, { ...list, devices: own })
      const keys = keyChange(before, list.devices)
      const { contact, devices } = made(change.trust ?? trustAfter(known?.trust ?? 'unverified', keys), list)
      await this.put(contact, devices)
      if (before.length > 0 && keys.added.length + keys.changed.length + keys.removed.length > 0) this.onKeys({ contact, ...keys })
      return contact
    })
  }

  /**
   * Records our account's other devices.
   * @param self this device, which is none of them
   * @param card of one of them, with its bundle and where it may be found
   * @returns those that are in the list no more
   */
  putOwn(
    list: DeviceList,
    self: DeviceId,
    card?: { readonly opened: ContactCard; readonly signed: SignedBytes },
  ): Promise<readonly DeviceId[]> {
    return this.inTurn(async () => {
      const known = this.contacts.get(list.account)
      const others = list.devices.filter(({ device }) => device !== self)
      const before = this.devicesOf(list.account)
      if (known === undefined && others.length === 0) return []
      const shown = card === undefined ? {} : { card: encodeSigned(card.signed), relays: card.opened.relays, claimedName: card.opened.name }
      const contact: StoredContact = {
        ...(known ?? this.blank(list.account)),
        ...{ accountKey: list.accountKey, petname: list.account, state: 'accepted', listVersion: list.version },
        ...shown,
      }
      await this.put(contact, this.entriesOf(list.account, others, card?.opened))
      return before.map(({ device }) => device).filter((device) => !others.some((each) => each.device === device))
    })
  }

  private contactOf(card: ContactCard, signed: SignedBytes, change: ContactChange): StoredContact {
    const known = this.contacts.get(card.list.account)
    return {
      ...(known ?? this.blank(card.list.account)),
      accountKey: card.list.accountKey,
      petname: known?.petname ?? this.freePetname(change.petname ?? card.name, card.list.account),
      claimedName: card.name,
      card: encodeSigned(signed),
      listVersion: card.list.version,
      relays: card.relays,
      ...(({ petname: _petname, ...rest }) => rest)(change),
    }
  }

  private entriesOf(account: AccountId, entries: DeviceList['devices'], card?: ContactCard): readonly StoredDevice[] {
    const bundles = new Map(card === undefined ? [] : [...card.bundles, card].map(({ device, bundle }) => [device, bundle]))
    return entries.map(({ device, dhKey }) => {
      const before = this.devices.get(device)
      const bundle = bundles.get(device)
      return {
        device,
        account,
        dhKey,
        lastSeen: before?.lastSeen ?? null,
        cardSent: before?.cardSent ?? 0,
        bundle: bundle === undefined ? (before?.bundle ?? NOTHING) : newerBundle(before?.bundle, bundle),
        handover: before?.handover ?? NOTHING,
      }
    })
  }

  /** Keeps a verified bundle of a known device if it is newer than the one that is known. */
  putBundle(device: DeviceId, bundle: SignedBytes): Promise<void> {
    return this.inTurn(async () => {
      const [known, contact] = [this.devices.get(device), this.ownerOf(device)]
      if (known === undefined || contact === undefined) return
      const newer = { ...known, bundle: newerBundle(known.bundle, bundle) }
      await this.put(
        contact,
        this.devicesOf(contact.account).map((each) => (each.device === device ? newer : each)),
      )
    })
  }

  change(account: AccountId, change: ContactChange): Promise<StoredContact> {
    return this.inTurn(async () => {
      const known = this.contacts.get(account)
      if (known === undefined) throw new SkeinError('CONTACT_UNKNOWN', 'There is no such contact.')
      const petname = change.petname === undefined ? known.petname : this.freePetname(change.petname, account)
      const contact = { ...known, ...change, petname }
      await this.put(contact, this.devicesOf(account))
      return contact
    })
  }

  /** One change after the other: each is made from what the one before has left, so that none takes another back. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work)
    this.last = done.catch(() => undefined)
    return done
  }

  async cardSent(device: DeviceId, issuedAt: number): Promise<void> {
    await this.patchDevice(device, { cardSent: issuedAt }, { kind: 'device.card-sent', device, issuedAt })
  }

  /** Records what a device has handed to us alone. */
  async handover(device: DeviceId, handover: Uint8Array): Promise<void> {
    await this.patchDevice(device, { handover }, { kind: 'device.handover', device, handover })
  }

  /**
   * Delivery tags that a device has sent, or that another device of ours knows of it; older ones than are known change nothing, nor
   * do those of a clock that is wrong, which later ones would count as older than.
   * @param now milliseconds since 1970
   */
  async takeTags(device: DeviceId, tags: HandoverFields, now: number): Promise<void> {
    const taken = this.tagsTaken(device, tags, now)
    if (taken === undefined) return
    await this.store.commit([taken.write])
    taken.remember()
  }

  /** As takeTags, for a commit of somebody else's, which `remember` has to follow. @returns `undefined` where nothing changes */
  tagsTaken(device: DeviceId, tags: HandoverFields, now: number): { readonly write: StoreWrite; remember(): void } | undefined {
    const isAhead = (day: number): boolean => day > dayOf(now) + MAX_DAYS_AHEAD
    const known = this.devices.get(device)
    const held = known === undefined ? undefined : decodeHandover(known.handover)
    if (known === undefined || isAhead(tags.firstDay)) return undefined
    if (held !== undefined && !isAhead(held.firstDay) && held.firstDay >= tags.firstDay) return undefined
    const remember = (): void => {
      const now = this.devices.get(device)
      // The one-time prekey may have been taken meanwhile.
      if (now !== undefined) this.devices.set(device, { ...now, handover: withTags(now, tags) })
    }
    return { write: { kind: 'device.handover', device, handover: withTags(known, tags) }, remember }
  }

  /** The one-time prekey that a device has handed to us; no later call gives it again. `write` makes that last. */
  takeOneTime(device: DeviceId): { readonly oneTime: OneTimePrekey; readonly write: StoreWrite } | undefined {
    const known = this.devices.get(device)
    const held = known === undefined ? undefined : decodeHandover(known.handover)
    if (known === undefined || held?.oneTime === undefined) return undefined
    const handover = encodeHandover({ ...held, oneTime: undefined })
    this.devices.set(device, { ...known, handover })
    return { oneTime: held.oneTime, write: { kind: 'device.handover', device, handover } }
  }

  async seen(device: DeviceId, at: number): Promise<void> {
    await this.patchDevice(device, { lastSeen: at }, { kind: 'device.seen', device, at })
  }

  requestCount(): number {
    return this.all().filter(({ state }) => state === 'requested').length
  }

  private async patchDevice(device: DeviceId, patch: Partial<StoredDevice>, write: StoreWrite): Promise<void> {
    const known = this.devices.get(device)
    if (known === undefined) return
    this.devices.set(device, { ...known, ...patch })
    await this.store.commit([write])
  }

  private async put(contact: StoredContact, devices: readonly StoredDevice[]): Promise<void> {
    await this.store.commit([{ kind: 'contact.put', contact, devices }])
    this.contacts.set(contact.account, contact)
    // What was learned of a device while this was written stays.
    const now = new Map(this.devicesOf(contact.account).map((device) => [device.device, device]))
    for (const device of now.keys()) this.devices.delete(device)
    for (const device of devices) this.devices.set(device.device, merged(device, now.get(device.device)))
  }

  private blank(account: AccountId): StoredContact {
    const empty = new Uint8Array()
    return {
      account,
      accountKey: empty,
      petname: '',
      claimedName: '',
      state: 'pending',
      trust: 'unverified',
      card: empty,
      listVersion: 0,
      relays: [],
      blocked: false,
      muted: false,
      addedAt: 0,
      pendingInvite: '',
    }
  }

  /** `wanted`, or the first of «wanted 2», «wanted 3» … that no other contact has. */
  private freePetname(wanted: string, account: AccountId): string {
    const base = wanted.trim() === '' ? account.slice(0, 8) : wanted.trim()
    const used = new Set(this.all().flatMap((contact) => (contact.account === account ? [] : [contact.petname])))
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? base : `${base} ${number}`
      if (!used.has(name)) return name
    }
  }
}

function withTags({ handover }: StoredDevice, tags: HandoverFields): Uint8Array {
  return encodeHandover({ ...tags, oneTime: decodeHandover(handover)?.oneTime })
}

function merged(device: StoredDevice, { lastSeen, cardSent, handover }: StoredDevice = device): StoredDevice {
  return { ...device, lastSeen, cardSent, handover }
}

/** The newer of the two by `issuedAt`: a card that travelled long must not bring back a bundle whose keys are going. */
function newerBundle(known: Uint8Array | undefined, next: SignedBytes): Uint8Array {
  if (known === undefined || known.length === 0) return encodeSigned(next)
  const issuedAt = (signed: SignedBytes): number => decodePrekeyBundle(signed.statement).issuedAt
  return issuedAt(decodeSigned(known)) > issuedAt(next) ? known : encodeSigned(next)
}
