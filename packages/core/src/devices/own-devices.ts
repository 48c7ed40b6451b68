/** The devices of our account: their list, linking, taking out, and what they tell each other. */
import { base64 } from '@scure/base'
import type { ClearMark, ContactBook } from '../contacts/index.ts'
import { SkeinError } from '../errors/index.ts'
import type { AccountId, DeviceId } from '../ids.ts'
import { type ContactCard, type Identity, LIST_SETTING, LIST_VERSION_SETTING, openDeviceList, signDeviceList } from '../identity/index.ts'
import type { ControlEffect, MainPath } from '../main-path/index.ts'
import type { MessengerPorts } from '../messenger-ports.ts'
import type { StoredContact, StoredDevice, StoredMessage, StoreWrite } from '../ports/store.ts'
import { sameBytes } from '../wire/codec.ts'
import { encodeSigned, type SignedBytes } from '../wire/signed.ts'
import type { ListChange, withDevice } from './device-lists.ts'
import type { Joined } from './link-guest.ts'
import { LINK_PROTOCOL } from './link-protocol.ts'
import type { LinkHost } from './link-host.ts'
import { loadOnce } from './load-once.ts'
import { DeviceNames } from './names.ts'
import type { OwnSync } from './own-sync.ts'
import type { SeenElsewhere } from './seen-words.ts'

export interface OwnDevice {
  readonly device: DeviceId
  /** What its owner calls it; empty if it has not said. */
  readonly name: string
  /** Whether it is this one. */
  readonly here: boolean
  /** Milliseconds since 1970; null if never. */
  readonly lastSeen: number | null
}

export interface OwnDevicesDeps extends Pick<MessengerPorts, 'store' | 'swarm' | 'clock' | 'random' | 'logger' | 'primitives'> {
  readonly identity: Identity
  readonly book: ContactBook
  readonly name: string
  readonly relays: readonly string[]
  readonly deviceName: string
  path(): MainPath
  /** The list is another one: our card too. @param removed devices that are in it no more */
  onList(removed: readonly DeviceId[]): Promise<void>
  /** Another device's bundle is known now, or a newer one. */
  onBundle(): Promise<void>
  /** This device is none of the account's any more. */
  onRevoked(): void
  onContact(contact: StoredContact): void
  onSeen(account: AccountId, seen: SeenElsewhere): Promise<void>
  /** A conversation was deleted on another device. */
  onCleared(account: AccountId, mark: ClearMark): Promise<void>
  onHistory(accounts: readonly AccountId[]): void
}

/** Only accounts with several devices have lists that differ. */
const loadLists = loadOnce(() => import('./device-lists.ts'))

function isSame(a: SignedBytes, b: SignedBytes): boolean {
  return sameBytes(a.statement, b.statement) && sameBytes(a.signature, b.signature)
}

export class OwnDevices {
  private readonly deps: OwnDevicesDeps
  /** For new devices: the old one's side of linking. */
  readonly link = loadOnce(() => this.loadLink())
  /** For accounts with several devices: what they tell each other. */
  private readonly sync = loadOnce(() => this.loadSync())
  private talking: OwnSync | undefined
  private readonly stopping = new AbortController()
  private readonly names: DeviceNames
  private last: Promise<unknown> = Promise.resolve()

  constructor(deps: OwnDevicesDeps) {
    this.deps = deps
    this.names = new DeviceNames(deps.store)
  }

  /** The returned function ends it. */
  async start(signal: AbortSignal): Promise<void> {
    const { identity, book, swarm } = this.deps
    await this.names.load()
    // The list is durable before the book follows it.
    const removed = await book.putOwn(identity.list, identity.device)
    if (removed.length > 0) this.tellList(removed)
    const release = swarm.handle(LINK_PROTOCOL, async (channel) => (await this.link()).serve(channel))
    signal.addEventListener('abort', release, { once: true })
    signal.addEventListener('abort', () => this.stopping.abort(), { once: true })
    if (book.ownDevices().length > 0) await this.ready()
  }

  /** Resolves when words of our other devices can be taken in. */
  ready(): Promise<unknown> {
    return this.sync()
  }

  /** A device has appeared, or is new. */
  appeared(device: DeviceId): void {
    const known = this.deps.book.device(device)
    if (known !== undefined && this.deps.book.isOwn(known.account)) this.tell((sync) => sync.appeared(known))
  }

  /** A contact may have changed here. */
  contactChanged(contact: StoredContact): void {
    this.tell((sync) => sync.contactChanged(contact))
  }

  /** The user has seen messages here, all up to one. */
  async seen(account: AccountId, seen: SeenElsewhere): Promise<void> {
    if (this.hasOthers()) await (await this.sync()).seen(account, seen)
  }

  /** A message has come. */
  arrived(message: StoredMessage): void {
    if (message.direction === 'in') this.tell((sync) => sync.arrived(message))
  }

  /** A conversation was deleted here. */
  async cleared(account: AccountId, mark: ClearMark): Promise<void> {
    if (this.hasOthers()) await (await this.sync()).cleared(account, mark)
  }

  /** What another device of ours says, encoded; ready() has to come before. @throws SkeinError BAD_FRAME */
  onWord(known: StoredDevice, own: Uint8Array): ControlEffect {
    if (this.talking === undefined) throw new SkeinError('BAD_FRAME', 'A word of another own device came before anybody could read it.')
    return this.talking.onWord(known, own)
  }

  private hasOthers(): boolean {
    return this.deps.book.ownDevices().length > 0
  }

  private tell(say: (sync: OwnSync) => void | Promise<void>): void {
    if (!this.hasOthers()) return
    void this.sync()
      .then(say)
      .catch((error: unknown) => this.deps.logger.warn('own-word-failed', { reason: String(error) }))
  }

  private async loadSync(): Promise<OwnSync> {
    const { OwnSync } = await import('./own-sync.ts')
    const sync = new OwnSync({ ...this.deps, names: this.names })
    await sync.start(this.stopping.signal)
    this.talking = sync
    return sync
  }

  private async loadLink(): Promise<LinkHost> {
    const { LinkHost } = await import('./link-host.ts')
    const { name, relays, deviceName, swarm } = this.deps
    const host = new LinkHost({
      ...this.deps,
      penalise: (device, code) => swarm.penalise(device, code),
      grant: () => ({ name, relays, deviceName }),
      admit: (entry, called, beside) => this.admit(entry, called, beside),
    })
    await host.start()
    return host
  }

  all(): readonly OwnDevice[] {
    const { identity, book, deviceName } = this.deps
    return identity.list.devices.map(({ device }) => ({
      device,
      name: device === identity.device ? deviceName : this.names.of(device),
      here: device === identity.device,
      lastSeen: book.device(device)?.lastSeen ?? null,
    }))
  }

  /** Makes this device one of another account's; see joinByLink. The messenger has to be started anew then. */
  async join(text: string, told: { readonly onCode: (code: string) => void; readonly signal?: AbortSignal }): Promise<Joined> {
    // Needed once in the life of a device: who loads us over a network does not load it before.
    const { joinByLink } = await import('./link-guest.ts')
    return joinByLink(this.deps, text, told)
  }

  /** Takes a device out of the account, for good. @throws SkeinError DEVICE_UNKNOWN, USAGE when it is this one */
  revoke(wanted: string): Promise<DeviceId> {
    const { identity } = this.deps
    const found = this.all().filter(
      ({ device, name }) => device === wanted || name === wanted || (wanted.length >= 8 && device.endsWith(wanted)),
    )
    const [only] = found
    if (only === undefined || found.length > 1)
      throw new SkeinError('DEVICE_UNKNOWN', 'No device of yours is called so, or more than one; use its id.')
    if (only.here) throw new SkeinError('USAGE', 'A device does not take itself out; do it on another one.')
    return this.inTurn(async () => {
      const { withoutDevice } = await loadLists()
      await this.change(withoutDevice(identity.signedList, only.device), [])
      return only.device
    })
  }

  /** A device has shown a card of our account (DV3, DV8). @returns whether it is one of ours */
  takeCard(card: ContactCard, signed: SignedBytes): Promise<boolean> {
    return this.inTurn(async () => {
      const { identity, book } = this.deps
      const list = card.list
      await this.take(card.signedList)
      if (identity.isRevoked || !identity.list.devices.some(({ device }) => device === card.device)) return false
      const before = book.device(card.device)?.bundle.length ?? 0
      await book.putOwn(identity.list, identity.device, { opened: { ...card, list }, signed })
      if (before === 0) await this.deps.onBundle()
      return true
    })
  }

  /** A list of our account was found. */
  takeList(signed: SignedBytes): Promise<void> {
    return this.inTurn(() => this.take(signed))
  }

  /** Takes in a list of our account, whoever showed it. */
  private async take(theirs: SignedBytes): Promise<void> {
    const { identity } = this.deps
    if (identity.isRevoked || isSame(identity.signedList, theirs)) return
    const { joinLists } = await loadLists()
    const joined = joinLists(identity.signedList, theirs)
    if (joined === 'mine') return
    if (joined === 'theirs') return this.adopt(theirs, [])
    // Whoever is out according to the other side signs no list that says something else.
    const isOut = !joined.devices.some(({ deviceKey }) => deviceKey.every((byte, at) => identity.deviceKey[at] === byte))
    if (isOut) return this.adopt(theirs, [])
    await this.change(joined, [])
  }

  private admit(entry: Parameters<typeof withDevice>[1], name: string, beside: StoreWrite): Promise<void> {
    return this.inTurn(async () => {
      const { withDevice } = await loadLists()
      await this.change(withDevice(this.deps.identity.signedList, entry), [beside])
      const added = this.deps.identity.list.devices.find(({ deviceKey }) => deviceKey.every((byte, at) => entry.deviceKey[at] === byte))
      if (added !== undefined) await this.names.put(added.device, name)
    })
  }

  private change(change: ListChange, beside: readonly StoreWrite[]): Promise<void> {
    const { primitives, identity } = this.deps
    return this.adopt(signDeviceList(primitives, { ...change, accountSeed: identity.accountSeed }), beside)
  }

  /** Durable before anybody is shown it. */
  private async adopt(signed: SignedBytes, beside: readonly StoreWrite[]): Promise<void> {
    const { primitives, store, identity, book } = this.deps
    const { version } = openDeviceList(primitives, signed)
    await store.commit([
      { kind: 'setting.put', key: LIST_SETTING, value: base64.encode(encodeSigned(signed)) },
      { kind: 'setting.put', key: LIST_VERSION_SETTING, value: String(version) },
      ...beside,
    ])
    identity.adopt(signed)
    const removed = await book.putOwn(identity.list, identity.device)
    if (identity.isRevoked) return this.deps.onRevoked()
    // The new device need not wait until everybody has been told of it.
    this.tellList(removed)
  }

  private tellList(removed: readonly DeviceId[]): void {
    void this.deps.onList(removed).catch((error: unknown) => this.deps.logger.warn('list-not-told', { reason: String(error) }))
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work)
    this.last = done.catch(() => undefined)
    return done
  }
}
