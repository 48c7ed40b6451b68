/** The composition root: a whole messenger on a set of ports. */
import {
  addByAccount,
  addByInvite,
  Admissions,
  CONTACT_PROTOCOL,
  ContactBook,
  type ContactDeps,
  type Conversation,
  countUnread,
  listConversations,
  makeInvite,
  markSeen,
  openOwnCard,
  type OwnCard,
  refreshBundles,
  republish,
  revokeInvites,
  serveIntroduction,
  Touch,
} from './contacts/index.ts'
import { ConversationService } from './conversation/index.ts'
import { DELIVER_PROTOCOL } from './delivery/index.ts'
import { Dispatcher } from './dispatch/index.ts'
import { fetchSecretOf, Handovers, openBundle, PrekeyKeeper, RatchetCipher, type RemoteDevice } from './e2ee/index.ts'
import { SkeinError } from './errors/index.ts'
import type { FileService } from './files/index.ts'
import { type AccountId, type DeviceId, deviceKey, isAccountId, type MessageId } from './ids.ts'
import { type Identity, requireSameNumber, safetyNumber } from './identity/index.ts'
import {
  type Draft,
  Envelopes,
  type MainPath,
  openSequences,
  openStamps,
  sendMessage,
  type SendOptions,
  serveDeliveries,
} from './main-path/index.ts'
import type { MeshAddress, MeshService } from './mesh/index.ts'
import type { HistoryPage, StoredContact, StoredMessage } from './ports/index.ts'
import type { MessengerEvent, MessengerOptions, MessengerPorts } from './messenger-ports.ts'
import { decodeSigned } from './wire/signed.ts'
import { PRESENCE_PROTOCOL, type Present, PresenceService } from './presence/index.ts'

/** A message is given up after so long, unless the user chooses (DL13). */
const EXPIRE_MS = 30 * 86_400_000

/** Prekeys are looked after twice a day: a weekly rotation is never more than half a day late. */
const KEY_CHECK_MS = 43_200_000

/** One account on one device. Start once; stop is final and idempotent. */
export class Messenger {
  readonly identity: Identity
  readonly book: ContactBook
  readonly presence: PresenceService
  readonly conversation: ConversationService
  /** Nothing where files are neither sent nor received. */
  readonly files: FileService | undefined
  private readonly ports: MessengerPorts
  private readonly options: MessengerOptions
  private readonly dispatcher: Dispatcher
  private readonly contactDeps: ContactDeps
  private readonly prekeys: PrekeyKeeper
  private readonly fetchSecret: Uint8Array
  private readonly listeners = new Set<(event: MessengerEvent) => void>()
  private readonly stopping = new AbortController()
  private readonly touch: Touch
  private readonly releases: (() => void)[] = []
  private mainPath: MainPath | undefined
  private card: OwnCard | undefined

  constructor(ports: MessengerPorts, identity: Identity, options: MessengerOptions) {
    this.ports = ports
    this.identity = identity
    this.options = options
    this.fetchSecret = fetchSecretOf(ports.primitives, identity.deviceSeed)
    this.book = new ContactBook(ports.store, (change) => this.emit({ kind: 'keys', ...change }))
    this.contactDeps = {
      ...ports,
      identity,
      book: this.book,
      admissions: new Admissions(ports.store),
      handovers: new Handovers({ ...ports, fetchSecret: this.fetchSecret }),
      ownCard: () => this.ownCard(),
      onContact: (contact) => this.onContact(contact),
    }
    this.prekeys = new PrekeyKeeper({ ...ports, ...identity })
    this.dispatcher = new Dispatcher({
      ...ports,
      book: this.book,
      onState: (message) => this.emit({ kind: 'state', message }),
      mailboxes: options.mailboxes ?? [],
      fetchSecret: this.fetchSecret,
    })
    const conversation = { ...ports, book: this.book, path: () => this.runningPath(), emit: (event: MessengerEvent) => this.emit(event) }
    this.conversation = new ConversationService(conversation)
    this.files = ports.files?.({ ...conversation, onTransfer: (transfer) => this.emit({ kind: 'transfer', transfer }) })
    this.presence = new PresenceService({
      ...ports,
      identity,
      name: () => options.name,
      visibility: () => options.visibility,
      isContact: (device) => this.isContact(device),
      ownerOf: (device) => this.book.ownerOf(device)?.account,
      onArrived: (present) => this.onPresence(present, true),
      onGone: (present) => this.onPresence(present, false),
    })
    this.touch = new Touch({ ...this.contactDeps, announceTo: (...to) => this.presence.announceTo(...to) })
  }

  async start(): Promise<void> {
    const { ports, book, identity, prekeys } = this
    await book.load()
    await this.refreshKeys()
    const cipher = new RatchetCipher({ ...ports, own: identity, prekeys, remote: (device) => this.remote(device) })
    this.mainPath = {
      ...ports,
      book,
      cipher,
      envelopes: new Envelopes({ ...ports, book, cipher, prekeys, deviceKey: identity.deviceKey, fetchSecret: this.fetchSecret }),
      committing: new Map(),
      stamps: await openStamps(ports.store, ports.clock),
      sequences: openSequences(ports.store),
      post: (row) => this.dispatcher.post(row),
      reload: (device) => this.dispatcher.reload(device),
      expireMs: this.options.expireMs ?? EXPIRE_MS,
      onMessage: (message) => this.onMessage(message),
      onState: (message) => this.emit({ kind: 'state', message }),
      onArrived: (device, seq) => this.dispatcher.onArrived(device, seq),
      onReceiptDue: (device) => this.dispatcher.onReceiptDue(device),
      onChanged: (message) => this.emit({ kind: 'changed', message }),
      onControl: (device, control) => this.dispatcher.onControl(device, control),
      onSignOfLife: (device) => this.presence.signOfLife(device),
    }
    this.serve(this.mainPath)
    this.conversation.start(this.stopping.signal)
    await this.files?.start(this.stopping.signal)
    this.presence.start()
    await this.dispatcher.start(this.mainPath)
    void this.keepKeysFresh()
    for (const contact of book.all()) this.touch.keep(contact)
    // A relay that was joined before we listened is joined all the same.
    for (const { device, reserved } of ports.swarm.relays()) if (reserved && device !== null) void this.onRelayJoined(device)
  }

  stop(): void {
    this.stopping.abort()
    this.touch.stop()
    for (const release of this.releases.splice(0)) release()
    this.presence.stop()
    this.dispatcher.stop()
    this.listeners.clear()
  }

  /** The returned function ends it. */
  listen(listener: (event: MessengerEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  invite(): Promise<{ readonly invite: string; readonly expiresAt: number }> {
    return makeInvite(this.contactDeps)
  }

  /** Ends the invite `text`, or all of ours. @returns how many were open @throws SkeinError of parseInvite, INVITE_UNKNOWN */
  revokeInvites(text?: string): Promise<number> {
    return revokeInvites(this.contactDeps, text)
  }

  /** @param text an invite, or the account id of somebody who can be looked up */
  async add(text: string, petname?: string): Promise<StoredContact> {
    const wanted = text.trim()
    const contact = isAccountId(wanted)
      ? await addByAccount(this.contactDeps, wanted, petname)
      : await addByInvite(this.contactDeps, wanted, petname)
    await Promise.all(this.book.devicesOf(contact.account).map(({ device }) => this.touch.introduceTo(contact.account, device)))
    const now = this.book.get(contact.account) ?? contact
    this.touch.keep(now)
    return now
  }

  /** @param draft a text, or something else to send @throws SkeinError as sendMessage, of main-path */
  async send(contact: StoredContact, draft: string | Draft, options: SendOptions = {}): Promise<StoredMessage> {
    return sendMessage(this.runningPath(), contact, typeof draft === 'string' ? { kind: 'text', text: draft } : draft, options)
  }

  /** The mesh, if this messenger is part of one: links to neighbours are given to it. */
  get mesh(): MeshService | undefined {
    return this.dispatcher.mesh?.service
  }

  /** Where bundles for a contact's device go today. */
  meshAddressOf(device: DeviceId): MeshAddress | undefined {
    return this.dispatcher.mesh?.addressOf(device)
  }

  /** What is on its way: looked at, sent again, given up. */
  get deliveries(): Pick<Dispatcher, 'outbox' | 'retry' | 'cancel' | 'mailboxes'> {
    return this.dispatcher
  }

  history(account: AccountId, page: HistoryPage): Promise<readonly StoredMessage[]> {
    return this.ports.store.history(account, page)
  }

  conversations(): Promise<readonly Conversation[]> {
    return listConversations(this.ports.store, this.book.all())
  }

  /** The user has seen everything up to this message. @returns how many are unread now @throws SkeinError MESSAGE_UNKNOWN */
  async seen(account: AccountId, id: MessageId): Promise<number> {
    const newly = await markSeen(this.ports.store, account, id)
    if (this.options.readReceipts) await this.dispatcher.onSeen(newly)
    await this.conversation.read(account, id)
    const unread = await countUnread(this.ports.store, account)
    this.emit({ kind: 'seen', account, unread })
    return unread
  }

  message(id: MessageId): Promise<StoredMessage | null> {
    return this.ports.store.message(id)
  }

  async change(
    account: AccountId,
    change: { readonly petname?: string; readonly blocked?: boolean; readonly muted?: boolean },
  ): Promise<StoredContact> {
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
    const changed = await this.book.change(contact.account, { trust: verified ? 'verified' : 'unverified' })
    this.onContact(changed)
    return changed
  }

  /** Rotates prekeys when due and shows what is current; true when it is new. */
  private async refreshKeys(): Promise<boolean> {
    const { ports, prekeys, options, identity } = this
    const changed = await prekeys.refresh()
    if (changed) this.card = await openOwnCard({ ...ports, identity }, { mailboxes: [], ...options, bundle: prekeys.bundle() })
    const before = ports.clock.now()
    await ports.store.commit([
      { kind: 'digest.prune', before },
      { kind: 'one-time.prune', before },
    ])
    return changed
  }

  private async keepKeysFresh(): Promise<void> {
    while (await this.ports.clock.sleep(KEY_CHECK_MS, { signal: this.stopping.signal })) {
      const changed = await this.refreshKeys().catch((error: unknown) =>
        this.ports.logger.error('key-rotation-failed', { reason: String(error) }),
      )
      await this.refreshOthers()
      if (changed)
        await republish(this.contactDeps).catch((error: unknown) => this.ports.logger.warn('republish-failed', { reason: String(error) }))
    }
  }

  private refreshOthers(): Promise<void> {
    return refreshBundles(this.contactDeps).catch((error: unknown) =>
      this.ports.logger.warn('bundles-not-refreshed', { reason: String(error) }),
    )
  }

  /** What the session cipher has to know of a contact's device. */
  private remote(device: DeviceId): RemoteDevice | undefined {
    const known = this.book.device(device)
    const contact = this.book.ownerOf(device)
    if (known === undefined || contact === undefined) return undefined
    return {
      accountKey: contact.accountKey,
      deviceKey: deviceKey(device),
      dhKey: known.dhKey,
      bundle: () =>
        known.bundle.length === 0 ? undefined : openBundle(this.ports.primitives, decodeSigned(known.bundle), deviceKey(device)),
      takeOneTime: () => this.book.takeOneTime(device),
    }
  }

  private runningPath(): MainPath {
    if (this.mainPath === undefined) throw new SkeinError('STORE_CLOSED', 'The messenger is not running.')
    return this.mainPath
  }

  private ownCard(): OwnCard {
    if (this.card === undefined) throw new SkeinError('STORE_CLOSED', 'The messenger is not running.')
    return this.card
  }

  private serve(path: MainPath): void {
    const { swarm } = this.ports
    this.releases.push(
      swarm.handle(DELIVER_PROTOCOL, (channel) => serveDeliveries(path, channel)),
      swarm.handle(CONTACT_PROTOCOL, (channel) => serveIntroduction(this.contactDeps, channel)),
      swarm.handle(PRESENCE_PROTOCOL, (channel) => this.presence.serve(channel)),
      swarm.listen({
        onConnected: (device) => this.onAppeared(device),
        onDisconnected: (device) => this.touch.hurry(device),
        onAlive: (device) => this.presence.signOfLife(device),
        onBetterPath: (device) => this.dispatcher.reload(device),
        onRelay: (relay) => {
          if (relay.reserved && relay.device !== null) void this.onRelayJoined(relay.device)
        },
      }),
    )
  }

  private async onRelayJoined(relay: DeviceId): Promise<void> {
    this.dispatcher.wakeAll()
    this.touch.hurryAll()
    await Promise.all([this.presence.join(relay), republish(this.contactDeps), this.refreshOthers()]).catch((error: unknown) =>
      this.ports.logger.warn('relay-join-work-failed', { reason: String(error) }),
    )
  }

  private onAppeared(device: DeviceId): void {
    this.presence.signOfLife(device)
    if (!this.isContact(device)) return
    this.dispatcher.wake(device)
    this.touch.hurry(device)
  }

  private onContact(contact: StoredContact): void {
    this.emit({ kind: 'contact', contact })
    this.touch.keep(contact)
    void this.mesh?.readdress().catch((error: unknown) => this.ports.logger.warn('mesh-not-readdressed', { reason: String(error) }))
    this.dispatcher.onContact(contact)
  }

  private onPresence({ device, account, aliveAt }: Present, online: boolean): void {
    this.emit({ kind: 'presence', device, account, online })
    const silentFor = this.ports.clock.monotonic() - aliveAt
    void this.book.seen(device, Math.round(this.ports.clock.now() - silentFor))
    if (online && this.isContact(device)) this.dispatcher.wake(device)
  }

  private isContact(device: DeviceId): boolean {
    const contact = this.book.ownerOf(device)
    return contact?.state === 'accepted' && !contact.blocked
  }

  private onMessage(message: StoredMessage): void {
    this.emit({ kind: 'message', message })
    void this.files?.onMessage(message).catch((error: unknown) => this.ports.logger.error('offer-not-taken', { reason: String(error) }))
  }

  private emit(event: MessengerEvent): void {
    if (event.kind === 'state' && event.message.disappearAfterMs !== null) this.conversation.look()
    for (const listener of this.listeners) listener(event)
  }
}
