/** The composition root: a whole messenger on a set of ports. */
import {
  addByText,
  Admissions,
  AskedDevices,
  askDevice,
  CardKeeper,
  ContactBook,
  type ContactChange,
  type ContactDeps,
  type Conversation,
  type KeyChange,
  listConversations,
  makeInvite,
  markSeen,
  markTheseSeen,
  revokeInvites,
  serveContacts,
  showOut,
  takeCard,
  Touch,
} from './contacts/index.ts'
import { ConversationService } from './conversation/index.ts'
import { DELIVER_PROTOCOL } from './delivery/index.ts'
import { OwnDevices } from './devices/index.ts'
import { Dispatcher } from './dispatch/index.ts'
import { fetchSecretOf, Handovers, PrekeyKeeper } from './e2ee/index.ts'
import { SkeinError } from './errors/index.ts'
import type { FileService } from './files/index.ts'
import { inBackground } from './in-background.ts'
import { accountDigest, type AccountId, type DeviceId, type MessageId } from './ids.ts'
import { type Identity, requireSameNumber, safetyNumber } from './identity/index.ts'
import { type Draft, type MainPath, sendMessage, type SendOptions, serveDeliveries } from './main-path/index.ts'
import type { MeshAddress, MeshService } from './mesh/index.ts'
import type { HistoryPage, RelayStatus, StoredContact, StoredMessage } from './ports/index.ts'
import { MessengerFiles } from './messenger-files.ts'
import { openMainPath } from './messenger-path.ts'
import type { MessengerEvent, MessengerOptions, MessengerPorts } from './messenger-ports.ts'
import { Proofs } from './proofs/index.ts'
import { PRESENCE_PROTOCOL, type Present, PresenceService } from './presence/index.ts'

/** A message is given up after so long, unless the user chooses (DL13). */
const EXPIRE_MS = 30 * 86_400_000

/** One account on one device. Start once; stop is final and idempotent. */
export class Messenger {
  readonly identity: Identity
  readonly book: ContactBook
  readonly presence: PresenceService
  readonly conversation: ConversationService
  readonly devices: OwnDevices
  readonly proofs: Proofs
  readonly transfers: MessengerFiles
  private readonly ports: MessengerPorts
  private readonly options: MessengerOptions
  private readonly dispatcher: Dispatcher
  private readonly contactDeps: ContactDeps
  private readonly prekeys: PrekeyKeeper
  private readonly card: CardKeeper
  private readonly fetchSecret: Uint8Array
  private readonly listeners = new Set<(event: MessengerEvent) => void>()
  private readonly stopping = new AbortController()
  private readonly touch: Touch
  private readonly releases: (() => void)[] = []
  /** URLs of relays over which others can be dialled. */
  private readonly passable = new Set<string>()
  private mainPath: MainPath | undefined

  constructor(ports: MessengerPorts, identity: Identity, options: MessengerOptions) {
    this.ports = ports
    this.identity = identity
    this.options = options
    this.fetchSecret = fetchSecretOf(ports.primitives, identity.deviceSeed)
    this.book = new ContactBook(ports.store, (change) => this.onKeys(change), identity.account)
    this.contactDeps = {
      ...ports,
      identity,
      book: this.book,
      admissions: new Admissions(ports.store),
      asked: new AskedDevices(ports),
      handovers: new Handovers({ ...ports, fetchSecret: this.fetchSecret }),
      ownCard: () => this.card.current(),
      onOwnCard: (card, signed) => this.devices.takeCard(card, signed),
      onOwnList: (signed) => this.devices.takeList(signed),
      onContact: (contact) => this.onContact(contact),
    }
    this.prekeys = new PrekeyKeeper({ ...ports, ...identity })
    this.card = new CardKeeper({ contacts: this.contactDeps, prekeys: this.prekeys, ...options, hurry: () => this.touch.hurryAll() })
    this.proofs = new Proofs({
      ...{ ...ports, identity, book: this.book, path: () => this.runningPath() },
      onReceiptDue: (device) => this.dispatcher.onReceiptDue(device),
    })
    this.dispatcher = new Dispatcher({
      ...{ ...ports, proofs: this.proofs },
      book: this.book,
      onState: (message) => this.emit({ kind: 'state', message }),
      onCarried: (row, carrier) => this.transfers.onCarried(row, carrier),
      onCard: (account, card) => takeCard(this.contactDeps, account, card),
      mailboxes: options.mailboxes ?? [],
      fetchSecret: this.fetchSecret,
      readReceipts: options.readReceipts ?? false,
      tagsFor: (account) => this.contactDeps.handovers.forInvited(accountDigest(account)),
    })
    const conversation = { ...ports, book: this.book, path: () => this.runningPath(), emit: (event: MessengerEvent) => this.emit(event) }
    this.conversation = new ConversationService({
      ...conversation,
      clearing: { deliveries: this.dispatcher, clearFiles: (account) => this.transfers.clear(account) },
      tellCleared: (account, mark) => this.devices.cleared(account, mark),
    })
    this.transfers = new MessengerFiles(ports, {
      ...conversation,
      carrier: this.dispatcher.mesh,
      onTransfer: (transfer) => this.emit({ kind: 'transfer', transfer }),
    })
    this.listen((event) => this.transfers.onEvent(event))
    this.presence = new PresenceService({
      ...ports,
      identity,
      name: () => options.name,
      visibility: () => options.visibility,
      isContact: (device) => this.book.isContact(device),
      ownerOf: (device) => this.book.ownerOf(device)?.account,
      onArrived: (present) => this.onPresence(present, true),
      onGone: (present) => this.onPresence(present, false),
    })
    const { name, relays, deviceName = '' } = options
    this.devices = new OwnDevices({
      ...{ ...ports, identity, book: this.book, name, relays, deviceName },
      path: () => this.runningPath(),
      onList: (removed) => this.onOwnList(removed),
      onBundle: () => this.showCard(),
      onRevoked: () => this.standDown(),
      onContact: (contact) => this.onContact(contact),
      onSeen: (account, { ids, upTo }) =>
        this.conversation.seen(account, markTheseSeen(ports, account, { ids, upTo })).then(() => undefined),
      onCleared: (account, mark) => this.conversation.clearUpTo(account, mark),
      onHistory: (accounts) => this.emit({ kind: 'history', accounts }),
    })
    this.touch = new Touch({ ...this.contactDeps, announceTo: (...to) => this.presence.announceTo(...to) })
  }

  async start(): Promise<void> {
    const { ports, book, identity, prekeys } = this
    await Promise.all([book.load(), this.contactDeps.asked.load()])
    await this.card.refresh()
    this.mainPath = await openMainPath(ports, {
      ...{ book, identity, prekeys, contacts: this.contactDeps, fetchSecret: this.fetchSecret },
      ...{ dispatcher: this.dispatcher, devices: this.devices, presence: this.presence, transfers: this.transfers, proofs: this.proofs },
      expireMs: this.options.expireMs ?? EXPIRE_MS,
      onMessage: (message) => this.onMessage(message),
      emit: (event) => this.emit(event),
    })
    this.conversation.start(this.stopping.signal)
    // History can be read still.
    if (identity.isRevoked) return
    await this.transfers.start(this.stopping.signal)
    this.serve(this.mainPath)
    this.presence.start()
    await this.proofs.load()
    await this.dispatcher.start(this.mainPath)
    inBackground(ports.logger, 'card-not-sent', this.card.tellNews(this.mainPath))
    await this.devices.start(this.stopping.signal)
    inBackground(ports.logger, 'keys-not-kept-fresh', this.card.keepFresh(this.mainPath, this.stopping.signal))
    for (const contact of book.everyone()) this.touch.keep(contact)
    // A relay that was joined before we listened is joined all the same.
    for (const each of ports.swarm.relays()) this.onRelay(each)
  }

  stop(): void {
    this.stopping.abort()
    this.leave()
    this.listeners.clear()
  }

  private leave(): void {
    this.touch.stop()
    for (const release of this.releases.splice(0)) release()
    this.presence.stop()
    this.dispatcher.stop()
  }

  /** Another device has taken this one out: it sends and gets nothing more, and says so (DV8). */
  private standDown(): void {
    this.leave()
    this.emit({ kind: 'devices', revoked: true })
  }

  /** The returned function ends it. */
  listen(listener: (event: MessengerEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** @param at URL of a page that this device serves, to be named instead of a relay's */
  invite(at?: string): Promise<{ readonly invite: string; readonly expiresAt: number }> {
    return makeInvite(this.contactDeps, at)
  }

  /** Ends the invite `text`, or all of ours. @returns how many were open @throws SkeinError of parseInvite, INVITE_UNKNOWN */
  revokeInvites(text?: string): Promise<number> {
    return revokeInvites(this.contactDeps, text)
  }

  /** @param text an invite, or the account id of somebody who can be looked up */
  async add(text: string, petname?: string): Promise<StoredContact> {
    return this.touch.begin(await addByText(this.contactDeps, text, petname))
  }

  /** Asks somebody nearby for contact (CT8). @returns the contact, where it is known @throws SkeinError as askDevice */
  async ask(device: DeviceId): Promise<StoredContact | null> {
    const contact = await askDevice(this.contactDeps, device)
    return contact === null ? null : this.touch.begin(contact)
  }

  /** Whether the user has asked the owner of this device for contact, and no yes has come. */
  hasAsked(device: DeviceId): boolean {
    return this.contactDeps.asked.has(device)
  }

  /** @param draft a text, or something else to send @throws SkeinError as sendMessage, of main-path */
  async send(contact: StoredContact, draft: string | Draft, options: SendOptions = {}): Promise<StoredMessage> {
    return sendMessage(this.runningPath(), contact, typeof draft === 'string' ? { kind: 'text', text: draft } : draft, options)
  }

  /** Nothing where files are neither sent nor received, or not loaded yet. */
  get files(): FileService | undefined {
    return this.transfers.service
  }

  /** The mesh, if this messenger is part of one: links to neighbours are given to it. */
  get mesh(): MeshService | undefined {
    return this.dispatcher.mesh?.service
  }

  /** Where bundles for a contact's device go today, and where those go that were made on the days before. */
  meshAddressesOf(device: DeviceId): readonly MeshAddress[] {
    return this.dispatcher.mesh?.addressesOf(device) ?? []
  }

  /** What is on its way: looked at, sent again, given up. */
  get deliveries(): Pick<Dispatcher, 'outbox' | 'states' | 'retry' | 'cancel' | 'mailboxes' | 'wakeAll'> {
    return this.dispatcher
  }

  history(account: AccountId, page: HistoryPage): Promise<readonly StoredMessage[]> {
    return this.ports.store.history(account, page)
  }

  conversations(): Promise<readonly Conversation[]> {
    return listConversations(this.ports.store, this.book.all())
  }

  /** The user has seen everything up to this message that is here. @returns how many are unread now @throws SkeinError MESSAGE_UNKNOWN */
  async seen(account: AccountId, id: MessageId): Promise<number> {
    const marking = markSeen({ ...this.ports, ...this.options }, account, id)
    const unread = await this.conversation.seen(account, marking)
    const newly = await marking
    if (this.options.readReceipts) this.dispatcher.onSeen(newly)
    if (newly.length > 0 && !this.identity.isRevoked) await this.devices.seen(account, { ids: newly.map((each) => each.id), upTo: id })
    return unread
  }

  message(id: MessageId): Promise<StoredMessage | null> {
    return this.ports.store.message(id)
  }

  async change(account: AccountId, change: Pick<ContactChange, 'petname' | 'blocked' | 'muted' | 'trust'>): Promise<StoredContact> {
    const contact = await this.book.change(account, change)
    if (contact.blocked) for (const { device } of this.book.devicesOf(account)) this.presence.leave(device)
    this.onContact(contact)
    return contact
  }

  safetyNumber(contact: StoredContact): string {
    return safetyNumber(this.ports.primitives, this.identity.accountKey, contact.accountKey)
  }

  /**
   * Records what the user says after comparing safety numbers, or about other keys of a verified contact.
   * @param digits what the other side reads out, if it was typed in; spaces do not matter
   * @throws SkeinError SAFETY_NUMBER_DIFFERS, CONTACT_UNKNOWN
   */
  async setVerified(contact: StoredContact, verified: boolean, digits?: string): Promise<StoredContact> {
    if (digits !== undefined) requireSameNumber(this.safetyNumber(contact), digits)
    return this.change(contact.account, { trust: verified ? 'verified' : 'unverified' })
  }

  /** Our account has other devices than before (DV9). */
  private async onOwnList(removed: readonly DeviceId[]): Promise<void> {
    await this.forget(removed)
    const own = this.book.get(this.identity.account)
    if (own !== undefined) this.onContact(own)
    await this.showCard()
    for (const device of removed) void showOut(this.contactDeps, device).catch(() => undefined)
    this.emit({ kind: 'devices', revoked: false })
  }

  /** Contacts are shown what our card says now; those who are away find it in their mailbox, and nobody waits for that. */
  private async showCard(): Promise<void> {
    await this.card.show()
    if (this.mainPath !== undefined) inBackground(this.ports.logger, 'card-not-sent', this.card.tell(this.mainPath))
  }

  private onKeys(change: KeyChange): void {
    this.emit({ kind: 'keys', ...change })
    void this.forget(change.removed)
  }

  /** Devices that are none of their account any more. Never throws. */
  private async forget(devices: readonly DeviceId[]): Promise<void> {
    for (const device of devices) {
      this.presence.leave(device)
      await this.dispatcher.drop(device).catch((error: unknown) => this.ports.logger.warn('device-not-dropped', { reason: String(error) }))
    }
  }

  private runningPath(): MainPath {
    if (this.identity.isRevoked) throw new SkeinError('DEVICE_REVOKED', 'This device was taken out of its account on another device.')
    if (this.mainPath === undefined) throw new SkeinError('STORE_CLOSED', 'The messenger is not running.')
    return this.mainPath
  }

  private serve(path: MainPath): void {
    const { swarm } = this.ports
    this.releases.push(
      swarm.handle(DELIVER_PROTOCOL, (channel) => serveDeliveries(path, channel)),
      ...serveContacts(this.contactDeps),
      swarm.handle(PRESENCE_PROTOCOL, (channel) => this.presence.serve(channel)),
      swarm.listen({
        onConnected: (device) => this.onAppeared(device),
        onDisconnected: (device) => this.touch.hurry(device),
        onAlive: (device) => this.presence.signOfLife(device),
        onBetterPath: (device) => this.dispatcher.reload(device),
        onRelay: (relay) => this.onRelay(relay),
      }),
    )
  }

  /** Who can be reached now is not kept waiting until we can be reached. */
  private onRelay({ url, device, passable, reserved }: RelayStatus): void {
    if (!passable) this.passable.delete(url)
    else if (!this.passable.has(url)) {
      this.passable.add(url)
      this.dispatcher.wakeAll()
      this.touch.hurryAll()
    }
    if (reserved && device !== null) void this.onRelayJoined(device)
  }

  private async onRelayJoined(relay: DeviceId): Promise<void> {
    await Promise.all([this.presence.join(relay), this.card.publish()]).catch((error: unknown) =>
      this.ports.logger.warn('relay-join-work-failed', { reason: String(error) }),
    )
  }

  private onAppeared(device: DeviceId): void {
    this.presence.signOfLife(device)
    if (this.identity.list.revoked.includes(device)) void showOut(this.contactDeps, device).catch(() => undefined)
    if (!this.book.isContact(device)) return
    this.dispatcher.wake(device)
    this.touch.hurry(device)
    this.devices.appeared(device)
  }

  private onContact(contact: StoredContact): void {
    const isOwn = this.book.isOwn(contact.account)
    if (!isOwn) this.emit({ kind: 'contact', contact })
    this.touch.keep(contact)
    if (isOwn) for (const { device } of this.book.ownDevices()) this.devices.appeared(device)
    else this.devices.contactChanged(contact)
    if (this.mesh !== undefined) inBackground(this.ports.logger, 'mesh-not-readdressed', this.mesh.readdress())
    this.dispatcher.onContact(contact)
  }

  private onPresence({ device, account, aliveAt }: Present, online: boolean): void {
    this.emit({ kind: 'presence', device, account, online })
    const silentFor = this.ports.clock.monotonic() - aliveAt
    inBackground(this.ports.logger, 'last-seen-not-kept', this.book.seen(device, Math.round(this.ports.clock.now() - silentFor)))
    if (!online || !this.book.isContact(device)) return
    this.dispatcher.wake(device)
    this.devices.appeared(device)
  }

  private onMessage(message: StoredMessage): void {
    this.emit({ kind: 'message', message })
    this.devices.arrived(message)
    this.proofs.onIncoming(message)
    this.transfers.onMessage(message)
  }

  private emit(event: MessengerEvent): void {
    if (event.kind === 'state' && event.message.disappearAfterMs !== null) this.conversation.look()
    for (const listener of this.listeners) listener(event)
  }
}
