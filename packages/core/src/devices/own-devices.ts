/** The devices of our account: their list, linking, taking out, and what they tell each other. */
import { base64 } from '@scure/base'
import type { ContactBook } from '../contacts/index.ts'
import { SkeinError } from '../errors/index.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import { type ContactCard, type Identity, LIST_SETTING, LIST_VERSION_SETTING, openDeviceList, signDeviceList } from '../identity/index.ts'
import type { MainPath } from '../main-path/index.ts'
import type { MessengerPorts } from '../messenger-ports.ts'
import type { StoredContact, StoreWrite } from '../ports/store.ts'
import { encodeSigned, type SignedBytes } from '../wire/signed.ts'
import { joinLists, type ListChange, withDevice, withoutDevice } from './device-lists.ts'
import type { Joined } from './link-guest.ts'
import { LinkHost } from './link-host.ts'
import { LINK_PROTOCOL } from './link-talk.ts'
import { DeviceNames } from './names.ts'
import { OwnSync } from './own-sync.ts'

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
  onSeen(account: AccountId, id: MessageId): Promise<void>
  onHistory(accounts: readonly AccountId[]): void
}

export class OwnDevices {
  readonly link: LinkHost
  readonly sync: OwnSync
  private readonly deps: OwnDevicesDeps
  private readonly names: DeviceNames
  private last: Promise<unknown> = Promise.resolve()

  constructor(deps: OwnDevicesDeps) {
    this.deps = deps
    const { name, relays, deviceName, swarm } = deps
    this.names = new DeviceNames(deps.store)
    this.link = new LinkHost({
      ...deps,
      penalise: (device, code) => swarm.penalise(device, code),
      grant: () => ({ name, relays, deviceName }),
      admit: (entry, called, beside) => this.admit(entry, called, beside),
    })
    this.sync = new OwnSync({ ...deps, names: this.names })
  }

  /** The returned function ends it. */
  async start(signal: AbortSignal): Promise<void> {
    const { identity, book, swarm } = this.deps
    await this.names.load()
    await book.putOwn(identity.list, identity.device)
    await this.link.start()
    const release = swarm.handle(LINK_PROTOCOL, (channel) => this.link.serve(channel))
    signal.addEventListener('abort', release, { once: true })
    await this.sync.start(signal)
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
    if (identity.isRevoked) return
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
    void this.deps.onList(removed).catch((error: unknown) => this.deps.logger.warn('list-not-told', { reason: String(error) }))
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work)
    this.last = done.catch(() => undefined)
    return done
  }
}
