/** The outbox in motion: which rows go to which carrier, and what comes back. */
import type { ContactBook } from '../contacts/index.ts'
import { type CarrierView, Postman } from '../delivery/index.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import {
  carriedWrite,
  commitDelivered,
  type ControlEffect,
  dueToOwn,
  type MainPath,
  sealWaiting,
  sendAgain,
  sendControl,
  shownIds,
} from '../main-path/index.ts'
import type { MessengerPorts } from '../messenger-ports.ts'
import type { OutboxRow, StoredContact, StoredDevice, StoredMessage, UnseenMessage } from '../ports/store.ts'
import { SkeinError } from '../errors/index.ts'
import type { DeliveryControlFields } from '../wire/delivery-control.ts'
import { MAX_MISSING } from '../wire/limits.ts'
import type { Proofs } from '../proofs/index.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { ControlAllowance, controlEffect, NOTHING } from './control-effect.ts'
import { Arrivals } from './arrivals.ts'
import { GoneDevices } from './gone-devices.ts'
import { MailCarrier, type MailboxStatus } from './mail-carrier.ts'
import type { MeshCarrier } from './mesh-carrier.ts'
import { LateWords } from './late-words.ts'
import type { DeviceState, OutboxEntry } from './outbox-view.ts'
import { Receipts } from './receipts.ts'
import { loadExpire, loadOldMail, loadOutboxView, loadUnconfirmed } from './late-code.ts'
import type { Unconfirmed } from './unconfirmed.ts'
import type { HandoverFields } from '../wire/handover.ts'
import type { UnconfirmedMessage } from '../wire/delivery-control.ts'

/** Between two looks for what has expired (DL13), or waits for a device that is gone (DV8). */
const EXPIRY_CHECK_MS = 30_000
/** Between two looks for what carriers hold and nobody has confirmed (RC4), milliseconds. */
const UNCONFIRMED_CHECK_MS = 300_000
/** The first look of a run, for programs that run for minutes at a time. */
const UNCONFIRMED_FIRST_MS = 60_000
/** A gap in what a device has sent is asked for after so long, milliseconds (DL19). */
const GAP_MS = 60_000

export interface DispatcherDeps extends MessengerPorts {
  readonly book: ContactBook
  /** URLs of our own mailboxes. */
  readonly mailboxes: readonly string[]
  readonly fetchSecret: Uint8Array
  /** Delivery tags for mail to this device from an account, for the days ahead. */
  tagsFor(account: AccountId): HandoverFields
  /** Whether senders are told what the user has seen. */
  readonly readReceipts: boolean
  onState(message: StoredMessage): void
  /** A mailbox or the mesh holds a row, and that is durable. */
  onCarried(row: OutboxRow, carrier: string): void
  /** A contact's device says that its account has other devices than before. */
  onCard(account: AccountId, card: SignedBytes): Promise<void>
  readonly proofs: Proofs
}

export class Dispatcher {
  private readonly deps: DispatcherDeps
  private readonly postman: Postman
  private readonly stopping = new AbortController()
  private readonly away = new Set<DeviceId>()
  /** Only where the messenger is part of one. */
  readonly mesh: MeshCarrier | undefined
  /** Only where there is somebody who makes tokens. */
  readonly mail: MailCarrier | undefined
  private readonly arrivals = new Arrivals()
  private readonly allowance = new ControlAllowance()
  private readonly asking = new Set<DeviceId>()
  private readonly lateWords: LateWords
  private receipts: Receipts | undefined
  private gone: GoneDevices | undefined
  private unconfirmed: Unconfirmed | undefined
  private path: MainPath | undefined

  constructor(deps: DispatcherDeps) {
    this.deps = deps
    this.postman = new Postman({
      ...deps,
      relaysOf: (device) => this.relaysOf(device),
      onDelivered: (rows) => this.onDelivered(rows),
      onAway: (device) => this.onAway(device),
    })
    this.lateWords = new LateWords({ ...deps, act: (by, word) => this.actOn(by, word) })
    const { tokens } = deps
    const hooks = {
      viewOf: (row: OutboxRow): CarrierView => this.viewOf(row),
      onDelivered: (rows: readonly OutboxRow[]): Promise<void> => this.onDelivered(rows),
      onCarried: (row: OutboxRow, carrier: string): Promise<void> => this.onCarried(row, carrier),
    }
    this.mesh = deps.mesh?.({ ...deps, ...hooks })
    if (tokens !== undefined)
      this.mail = new MailCarrier({
        ...deps,
        tokens,
        ...hooks,
        onCollected: () => undefined,
        onSigned: (row, mailbox, receipt) => void this.quietly(deps.proofs.onStored(row.message, mailbox, receipt)),
      })
  }

  /** Reads what is taken up at the start; before anything is served. */
  load(): Promise<void> {
    return this.lateWords.load()
  }

  /** Takes up what an earlier run left. */
  async start(path: MainPath): Promise<void> {
    this.path = path
    this.gone = new GoneDevices(path)
    this.receipts = new Receipts(path, { proofs: this.deps.proofs, signal: this.stopping.signal })
    await this.mesh?.start(path)
    this.mail?.start(path)
    await this.receipts.start()
    await this.postman.start()
    void this.lateWords.takeUp()
    void this.expireOften(path)
    void this.lookOften(path)
    for (const { device } of await this.deps.store.outboxDevices()) void this.sealWaiting(device)
  }

  stop(): void {
    this.stopping.abort()
    this.mesh?.stop()
    this.mail?.stop()
    this.postman.stop()
  }

  /** A row that has just been committed. */
  post(row: OutboxRow): void {
    this.postman.post(row)
    if (this.away.has(row.device)) void this.offerElsewhere(row.device)
  }

  reload(device: DeviceId): void {
    this.postman.reload(device)
  }

  /** A device has appeared, or may be written to now. */
  wake(device: DeviceId): void {
    this.away.delete(device)
    this.postman.wake(device)
  }

  /** A relay has come (back). */
  wakeAll(): void {
    this.postman.wakeAll()
    this.mail?.wake()
    for (const device of this.away) void this.offerElsewhere(device)
  }

  /** What is known of a contact has changed. */
  onContact(contact: StoredContact): void {
    if (contact.state !== 'accepted') return
    this.mail?.onContact(contact)
    for (const { device } of this.deps.book.devicesOf(contact.account)) {
      this.receipts?.onContact(device)
      this.wake(device)
      void this.sealWaiting(device)
    }
  }

  async outbox(): Promise<readonly OutboxEntry[]> {
    return (await loadOutboxView()).listOutbox(this.deps.store, (row) => this.viewOf(row))
  }

  /** Our own mailboxes. */
  async mailboxes(): Promise<readonly MailboxStatus[]> {
    return (await this.mail?.status()) ?? []
  }

  /** Where a message of ours stands at each device of its recipient. @throws SkeinError MESSAGE_UNKNOWN */
  async states(id: MessageId): Promise<readonly DeviceState[]> {
    return (await loadOutboxView()).deviceStates(this.deps.store, id)
  }

  /** Sends a message that failed once more. @param expireMs given up after so long; as configured when it is left out @throws SkeinError of sendAgain */
  retry(id: MessageId, expireMs?: number): Promise<StoredMessage> {
    return sendAgain(this.running(), id, expireMs)
  }

  /**
   * Gives a message up now, or what was said about one: the other side does not learn of that then.
   * @returns the message @throws SkeinError MESSAGE_UNKNOWN when it is in the outbox no more
   */
  async cancel(id: MessageId): Promise<StoredMessage> {
    const { cancel } = await loadExpire()
    const { rows, message } = await cancel(this.running(), id)
    for (const row of rows) this.mesh?.withdraw(row)
    return message
  }

  /** What a device says about delivery. */
  onControl(device: StoredDevice, control: DeliveryControlFields): ControlEffect {
    return controlEffect(
      {
        ...this.deps,
        allowance: this.allowance,
        recall: (seqs) => this.recall(device.device, seqs),
        answer: (asked) => this.answer(device.device, asked),
        onAcknowledged: this.onAcknowledged,
        isOwn: (account) => this.deps.book.isOwn(account),
        onHandover: (by, handover) => {
          const taken = this.deps.book.tagsTaken(by, handover, this.deps.clock.now())
          return taken === undefined ? NOTHING : { writes: [taken.write], committed: () => taken.remember() }
        },
        late: (by, word) => (word.kind === 'receipt' && !this.deps.proofs.isAgreed(by.account) ? NOTHING : this.lateWords.effect(by, word)),
        onProofWish: (account, allowed) => this.deps.proofs.onWish(account, allowed),
        owed: (ids, read) => dueToOwn(this.deps.book, ids, read),
      },
      device,
      control,
    )
  }

  /** A message has come by a carrier: its sender is to be told. */
  onReceiptDue(device: DeviceId): void {
    void this.receipts?.plan(device)
  }

  /** The user has seen messages; that their senders are to know is durable. */
  onSeen(messages: readonly UnseenMessage[]): void {
    for (const device of new Set(messages.map(({ sender }) => sender))) this.onReceiptDue(device)
  }

  /** A message with this number has come. */
  onArrived(device: DeviceId, seq: number): void {
    this.unconfirmed?.heard(device)
    if (this.arrivals.note(device, seq)) this.askLater(device)
  }

  /** A gap that is there for a while is asked for (DL19): what lies before it may only be slower. */
  private async askLater(device: DeviceId): Promise<void> {
    if (this.asking.has(device)) return
    this.asking.add(device)
    for (let missing = 1; missing > 0; ) {
      if (!(await this.deps.clock.sleep(GAP_MS, { signal: this.stopping.signal }))) break
      const seqs = this.arrivals.toAsk(device, MAX_MISSING)
      missing = seqs.length
      const known = this.deps.book.device(device)
      if (missing === 0 || known === undefined || this.path === undefined) break
      await sendControl(this.path, known, { control: { kind: 'missing', seqs } }).catch((error: unknown) =>
        this.deps.logger.warn('gap-not-asked-for', { reason: String(error) }),
      )
    }
    this.asking.delete(device)
  }

  /** Carriers are said to hold what has not come: they are handed it again. */
  private async recall(device: DeviceId, seqs: readonly number[]): Promise<void> {
    const { store } = this.deps
    const found = await Promise.all(seqs.map(async (seq) => (await store.outbox(device, seq - 1, 1)).find((row) => row.seq === seq)))
    const rows = found.filter((row) => row !== undefined)
    if (rows.length === 0) return
    await store.commit(rows.map(({ message }) => ({ kind: 'outbox.recall', message, device })))
    await this.offerElsewhere(device)
    this.postman.wake(device)
  }

  private async answer(device: DeviceId, asked: readonly UnconfirmedMessage[]): Promise<void> {
    const { readReceipts } = this.deps
    const { answerUnconfirmed } = await loadUnconfirmed()
    if (await answerUnconfirmed(this.running(), device, { asked, readReceipts })) void this.receipts?.plan(device)
  }

  /** A receipt is durable: what it says is shown. */
  private readonly onAcknowledged = async (ids: readonly MessageId[], device: DeviceId): Promise<void> => {
    for (const id of ids) {
      const message = await this.deps.store.message(id, 'out')
      const account = this.deps.book.device(device)?.account
      if (message !== null && account !== undefined && (account === message.contact || this.deps.book.isOwn(account)))
        this.deps.onState(message)
      this.mesh?.withdrawMessage(id, device)
    }
    if (!this.deps.book.ownDevices().some((each) => each.device === device)) this.tellOwn()
  }

  /** What has become of messages of ours is durable and due to our other devices (DV13). */
  tellOwn(): void {
    for (const { device } of this.deps.book.ownDevices()) this.onReceiptDue(device)
  }

  private async actOn({ account, device }: StoredDevice, word: DeliveryControlFields): Promise<void> {
    if (word.kind === 'card') await this.deps.onCard(account, word.card)
    if (word.kind === 'receipt') await this.deps.proofs.take(account, device, word)
  }

  private async quietly(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => this.deps.logger.warn('proof-not-kept', { reason: String(error) }))
  }

  /** A device is none of its account any more: nothing more goes to it. */
  async drop(device: DeviceId): Promise<void> {
    this.away.delete(device)
    await this.gone?.drop(device)
    this.postman.reload(device)
  }

  private running(): MainPath {
    if (this.path === undefined) throw new SkeinError('STORE_CLOSED', 'The messenger is not running.')
    return this.path
  }

  private relaysOf(device: DeviceId): readonly string[] | null {
    const contact = this.deps.book.ownerOf(device)
    return contact === undefined || contact.blocked || contact.state !== 'accepted' ? null : contact.relays
  }

  private viewOf(row: OutboxRow): CarrierView {
    const { device, contact, sealed, carriers } = row
    const known = this.deps.book.get(contact)
    const mailboxes = known === undefined ? [] : (this.mail?.mailboxesFor(known, device) ?? [])
    return {
      blocked: known?.blocked ?? true,
      accepted: known?.state === 'accepted',
      keysChanged: known?.trust === 'changed',
      sealed: sealed.length > 0,
      direct: this.postman.isLinked(device) ? 'open' : this.away.has(device) ? 'away' : 'unknown',
      mailboxes,
      refusal: this.mail?.refusalOf(device, mailboxes) ?? null,
      carriers,
      meshTakes: this.mesh?.takes(row) ?? false,
    }
  }

  private onAway(device: DeviceId): void {
    this.away.add(device)
    void this.offerElsewhere(device)
  }

  private async offerElsewhere(device: DeviceId): Promise<void> {
    void this.mail?.offer(device)
    await this.mesh?.offer(device).catch((error: unknown) => this.deps.logger.warn('not-offered-to-mesh', { reason: String(error) }))
  }

  /** A carrier holds a row: that is durable when this resolves. */
  private async onCarried(row: OutboxRow, carrier: string): Promise<void> {
    const { store, onState } = this.deps
    const before = await store.message(row.message, 'out')
    const owed = before?.state === 'queued' ? dueToOwn(this.deps.book, shownIds([row])) : []
    const [outcome] = await store.commit([carriedWrite(row, carrier), ...owed])
    this.deps.onCarried(row, carrier)
    if (before?.state !== 'queued' || outcome !== 'done') return
    onState({ ...before, state: 'carried', reason: null })
    this.tellOwn()
  }

  /** What the other side has acknowledged is true at once; the store follows, and whoever asks it waits for that. */
  private async onDelivered(rows: readonly OutboxRow[]): Promise<void> {
    const { store, clock, onState } = this.deps
    const at = clock.now()
    const messages = await Promise.all(rows.map(({ message }) => store.message(message, 'out')))
    const recorded = commitDelivered(this.running(), rows, at)
    for (const row of rows) this.mesh?.withdraw(row)
    for (const message of messages) {
      if (message !== null && message.state !== 'read' && message.state !== 'delivered')
        onState({ ...message, state: 'delivered', reason: null, deliveredAt: at })
    }
    await recorded
    this.tellOwn()
  }

  private async sealWaiting(device: DeviceId): Promise<void> {
    if (this.path === undefined) return
    await sealWaiting(this.path, device).catch((error: unknown) => this.deps.logger.warn('not-sealed-yet', { reason: String(error) }))
  }

  private async lookOften(path: MainPath): Promise<void> {
    for (let wait = UNCONFIRMED_FIRST_MS; await this.deps.clock.sleep(wait, { signal: this.stopping.signal }); wait = UNCONFIRMED_CHECK_MS)
      await this.lookOnce(path).catch((error: unknown) => this.deps.logger.warn('unconfirmed-not-asked-for', { reason: String(error) }))
  }

  private async lookOnce(path: MainPath): Promise<void> {
    const { Unconfirmed } = await loadUnconfirmed()
    this.unconfirmed ??= new Unconfirmed(path, { isLinked: (device) => this.postman.isLinked(device) })
    await this.unconfirmed.look()
    const { recallOld } = await loadOldMail()
    for (const device of await recallOld(path)) await this.offerElsewhere(device)
  }

  private async expireOften(path: MainPath): Promise<void> {
    const warn =
      (event: string) =>
      (error: unknown): void =>
        this.deps.logger.warn(event, { reason: String(error) })
    do {
      await this.gone?.look().catch(warn('device-not-dropped'))
      await this.expireDue(path).catch(warn('expiry-failed'))
    } while (await this.deps.clock.sleep(EXPIRY_CHECK_MS, { signal: this.stopping.signal }))
  }

  private async expireDue(path: MainPath): Promise<void> {
    const due = await this.deps.store.outboxExpired(this.deps.clock.now(), 1)
    if (due.length > 0) await (await loadExpire()).giveUpExpired(path)
  }
}
