/** Files from and to contacts: offers, transfers at work, what the user says about them. */
import type { ContactBook } from '../contacts/index.ts'
import type { SkeinError } from '../errors/index.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import type { MainPath } from '../main-path/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { OutboxRow, Store, StoredContact, StoredMessage } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import { type AutoAccept, autoAcceptOf, autoAcceptWrite, Unasked } from './auto-accept.ts'
import type { ChunkCarrier } from './chunk-carrier.ts'
import { type End, endOf } from './end-of-offer.ts'
import { leaveOff } from './fetch-loop.ts'
import { Fetcher } from './fetcher.ts'
import type { BulkPort, FilePlatform } from './file-ports.ts'
import { hexOf } from './hex.ts'
import { Incoming } from './incoming.ts'
import { KeptSinks } from './kept-sinks.ts'
import { MailRoom } from './mail-room.ts'
import { MeshFiles, type MeshFilesDeps } from './mesh-files.ts'
import { Offering } from './offering.ts'
import { cancelledThere, Outcomes } from './outcomes.ts'
import { Paces } from './pace.ts'
import { Served } from './served.ts'
import { SharedSource, SourcePool } from './shared-source.ts'
import { Streams } from './streams.ts'
import { Teller } from './teller.ts'
import { isFinal, type Live, type Transfer, TransferBook } from './transfer-book.ts'
import { Upkeep } from './upkeep.ts'

export interface FileServiceDeps {
  readonly store: Store
  readonly swarm: Swarm
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly primitives: Primitives
  readonly book: ContactBook
  /** Raw connections for chunks, where there are any. */
  readonly bulk?: BulkPort
  /** The mesh, where there is one. */
  readonly carrier?: ChunkCarrier | undefined
  /** @throws SkeinError STORE_CLOSED while the messenger does not run */
  path(): MainPath
  onTransfer(transfer: Transfer): void
}

/** Makes a messenger that sends and receives files. */
export type FilesFactory = (deps: FileServiceDeps) => FileService

/** @param bulk raw connections for chunks, where there are any */
export function transferFiles(platform: FilePlatform, bulk?: BulkPort): FilesFactory {
  return (deps) => new FileService(bulk === undefined ? deps : { ...deps, bulk }, platform)
}

const RATE_SETTING = 'files.rate'

export class FileService {
  /** What is offered while it still comes. */
  readonly streams: Streams
  private readonly deps: FileServiceDeps
  private readonly platform: FilePlatform
  private readonly transfers: TransferBook
  private readonly pool: SourcePool
  private readonly paces: Paces
  private readonly fetcher: Fetcher
  private readonly teller: Teller
  private readonly mail: MailRoom
  private readonly offering: Offering
  private readonly outcomes: Outcomes
  private readonly mesh: MeshFiles | undefined
  private readonly served: Served
  private readonly upkeep: Upkeep
  private readonly incoming: Incoming

  constructor(deps: FileServiceDeps, platform: FilePlatform) {
    this.deps = deps
    this.platform = platform
    this.transfers = new TransferBook(deps)
    this.pool = new SourcePool(deps.clock)
    this.paces = new Paces(deps.clock)
    const { sending, receiving } = this.paces
    const parts = { ...deps, bulk: deps.bulk, platform, sinks: new KeptSinks(platform), transfers: this.transfers }
    this.teller = new Teller(parts)
    this.upkeep = new Upkeep(parts)
    this.offering = new Offering({ ...parts, withdraw: (live) => this.end(live, { state: 'cancelled', reason: null }) })
    const hooks: Pick<MeshFilesDeps, 'withSource' | 'onBroken'> = {
      withSource: (live, work) => this.withSource(live, work),
      onBroken: (live, error) => this.onBroken(live, error),
    }
    this.outcomes = new Outcomes({
      ...{ transfers: this.transfers, offering: this.offering, fetcher: () => this.fetcher, withSource: hooks.withSource },
      interrupt: (live) => this.interrupt(live),
      drop: (live) => this.drop(live),
    })
    this.served = new Served({ ...parts, ...hooks, pace: sending, onOutcome: (live, outcome) => this.outcomes.take(live, outcome) })
    this.mail = new MailRoom({
      ...{ ...parts, ...hooks },
      onWish: (live, wish) => this.mesh?.sender.wish(live, wish),
      onTakenBack: (live) => this.outcomes.take(live, cancelledThere(live)),
      // It had come before it was taken back.
      onDone: async (live, digest) => {
        if (!isFinal(live.stored) || live.stored.state === 'cancelled') await this.outcomes.onDone(live, digest)
      },
    })
    const end = (live: Live, change: End): Promise<void> => this.end(live, change)
    this.streams = new Streams({
      ...{ ...parts, offering: this.offering, mail: this.mail, end },
      drop: (live) => this.drop(live),
      growSource: (manifest) => this.pool.grow(hexOf(manifest.key), manifest),
    })
    this.incoming = new Incoming({
      ...{ ...parts, served: this.served, offering: this.offering, mail: this.mail, unasked: new Unasked(deps), end },
      fetcher: () => this.fetcher,
      autoAccept: ({ stored: { contact } }) => this.autoAccept(contact),
      accept: ({ stored: { id } }, folder) => this.accept(id, folder),
      onOver: (message) => this.onOver(message),
    })
    const { carrier, ...ours } = { ...parts, ...hooks, mail: this.mail, teller: this.teller, pace: sending }
    this.mesh = carrier && new MeshFiles({ ...ours, carrier, fetcher: () => this.fetcher })
    this.fetcher = new Fetcher({
      ...{ ...parts, mesh: this.mesh?.receiver },
      mail: this.mail,
      pace: receiving,
      teller: this.teller,
      onOutcome: (live, outcome) => this.outcomes.take(live, outcome),
    })
  }

  /** Goes on with what was begun, until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    await this.transfers.load(signal)
    // Messages do not wait for an old copy that cannot be removed, or for room.
    for (const step of [() => this.endOver(), () => this.streams.start(), () => this.upkeep.tidy(), () => this.mail.start()])
      await step().catch((error: unknown) => this.deps.logger.warn('files-not-tidied', { reason: String(error) }))
    this.paces.rate = Number((await this.deps.store.setting(RATE_SETTING)) ?? 0)
    const releases = [
      ...this.served.start(),
      () => this.pool.stop(),
      this.deps.swarm.listen({
        onConnected: (device) => this.onConnected(device),
        onBetterPath: (device) => this.fetcher.moveOver(device),
      }),
    ]
    signal.addEventListener('abort', () => releases.forEach((release) => void release()), { once: true })
    void this.upkeep.keepTidy(signal, () => this.lookDaily())
    this.fetcher.start(signal)
    this.offering.start(signal)
    this.offering.catchUp()
    this.mesh?.sender.start(signal)
    for (const live of this.transfers.all()) if (!isFinal(live.stored) || !live.stored.told) this.takeUp(live)
  }

  /** What was too much for one day may be left on the next. */
  private lookDaily(): void {
    for (const live of this.unfinished()) this.mail.lookAgain(live)
  }

  /** Newest first. */
  list(): readonly Transfer[] {
    return this.transfers.all().map((live) => this.transfers.show(live))
  }

  /** @throws SkeinError TRANSFER_UNKNOWN */
  get(id: MessageId): Transfer {
    return this.transfers.show(this.transfers.require(id))
  }

  /** A small picture of it, as its sender says; `undefined` when there is none. @throws SkeinError TRANSFER_UNKNOWN */
  thumbnail(id: MessageId): Uint8Array | undefined {
    return this.transfers.require(id).manifest.thumbnail
  }

  /**
   * Offers the same files to several contacts, as one transfer each; to nobody where one of them cannot be sent to.
   * @param thumbnail JPEG, at most MAX_THUMBNAIL_BYTES; of a single file alone
   * @throws SkeinError FILE_UNREADABLE, TOO_MANY_FILES, FILE_TOO_LARGE, and as sendMessage
   */
  send(contacts: readonly StoredContact[], paths: readonly string[], thumbnail?: Uint8Array): Promise<readonly Transfer[]> {
    return this.offering.send(contacts, paths, { thumbnail, replaces: undefined })
  }

  /** A message has come, or was sent: it may offer a file. */
  async onMessage(message: StoredMessage): Promise<void> {
    if (message.kind !== 'file' || message.direction === 'out') return
    await this.incoming.onOffer(message)
  }

  /** The message that offers a file was taken back, or given up before anybody had it (FI47). */
  async onOver(message: StoredMessage): Promise<void> {
    const live = this.transfers.find(message.id, message.direction)
    const end = live === undefined || live.stored.contact !== message.contact ? undefined : endOf(message, live.stored)
    if (live !== undefined && end !== undefined && !isFinal(live.stored)) await this.end(live, end)
  }

  /** Of which that has happened while nobody looked. */
  private async endOver(): Promise<void> {
    const ids = this.unfinished().map(({ stored }) => [stored.id, stored.direction] as const)
    const messages = await Promise.all(ids.map((each) => this.deps.store.message(...each)))
    for (const message of messages) if (message !== null) await this.onOver(message)
  }

  private unfinished(): readonly Live[] {
    return this.transfers.all().filter(({ stored }) => !isFinal(stored))
  }

  /** A carrier holds a message of ours. */
  onCarried(row: OutboxRow, carrier: string): void {
    this.mail.onCarried(row, carrier)
  }

  /** A contact has said something about a file by mail. */
  onWord(contact: AccountId, id: MessageId): void {
    for (const live of [this.transfers.find(id, 'in'), this.transfers.find(id, 'out')])
      if (live?.stored.contact === contact) this.hear(live)
  }

  private hear(live: Live): void {
    if (isFinal(live.stored) || live.stored.direction === 'out') this.mail.heard(live)
    else void this.incoming.heard(live).then(() => this.fetcher.heard(live))
  }

  private takeUp(live: Live): void {
    this.resumeNow(live)
    const isOurs = live.stored.direction === 'out'
    if (!isFinal(live.stored) && (isOurs || live.manifest.stream === 'growing')) this.hear(live)
    this.mail.lookAgain(live)
  }

  /** @param folder where it is put; the platform's own place when empty @throws SkeinError TRANSFER_UNKNOWN */
  async accept(id: MessageId, folder = ''): Promise<Transfer> {
    const live = this.transfers.require(id)
    if (live.stored.direction === 'in' && live.stored.state === 'offered') {
      await this.transfers.change(live, { state: 'waiting', reason: null, place: folder === '' ? this.platform.defaultFolder() : folder })
      this.fetcher.wake(live)
    }
    return this.transfers.show(live)
  }

  /** @throws SkeinError TRANSFER_UNKNOWN */
  async pause(id: MessageId): Promise<Transfer> {
    const live = this.transfers.require(id)
    if (live.stored.state === 'waiting' || live.stored.state === 'running') {
      await this.transfers.change(live, { state: 'paused', reason: null })
      this.fetcher.interrupt(live, (loop) => leaveOff(loop, this.deps.clock))
      this.served.interrupt(live)
      this.teller.mention(live, 'paused')
    }
    return this.transfers.show(live)
  }

  /** @throws SkeinError TRANSFER_UNKNOWN */
  async resume(id: MessageId): Promise<Transfer> {
    const live = this.transfers.require(id)
    if (live.stored.state === 'paused') {
      await this.transfers.change(live, { state: 'waiting', reason: null })
      this.teller.mention(live, 'ready')
      this.mail.lookAgain(live)
      this.mesh?.sender.wakeAll()
    }
    this.fetcher.wake(live)
    return this.transfers.show(live)
  }

  /** Ends it for good, and says so to the other side. @throws SkeinError TRANSFER_UNKNOWN */
  async cancel(id: MessageId): Promise<Transfer> {
    const live = this.transfers.require(id)
    if (!isFinal(live.stored)) await this.end(live, { state: 'cancelled', reason: null })
    return this.transfers.show(live)
  }

  /** Ends what is on its way from and to a contact and forgets all transfers; what was put where the user finds it stays there. */
  async clear(account: AccountId): Promise<void> {
    for (const live of this.transfers.all()) {
      if (live.stored.contact !== account) continue
      if (!isFinal(live.stored)) await this.end(live, { state: 'cancelled', reason: null })
      await this.transfers.remove(live)
      if (live.stored.path !== null) await this.platform.removeReceived?.(live.stored.path)
    }
  }

  /** What was received is removed, where the platform keeps it. @throws SkeinError TRANSFER_UNKNOWN */
  async removeReceived(id: MessageId): Promise<Transfer> {
    const live = this.transfers.require(id)
    await this.upkeep.removeReceived(live)
    return this.transfers.show(live)
  }

  autoAccept(account: AccountId): Promise<AutoAccept | null> {
    return autoAcceptOf(this.deps.store, account)
  }

  /** @param auto null: the user is asked */
  async setAutoAccept(account: AccountId, auto: AutoAccept | null): Promise<void> {
    await this.deps.store.commit([autoAcceptWrite(account, auto)])
  }

  /** Bytes a second, each way; 0 for no bound. */
  get rate(): number {
    return this.paces.rate
  }

  async setRate(rate: number): Promise<void> {
    await this.deps.store.commit([{ kind: 'setting.put', key: RATE_SETTING, value: String(rate) }])
    this.paces.rate = rate
  }

  /** Somebody writes: messages come first (FI52). */
  giveWay(): void {
    this.paces.giveWay()
  }

  private resumeNow(live: Live): void {
    this.fetcher.wake(live)
    this.teller.wake(live)
    this.streams.tellEnd(live)
  }

  private onConnected(device: DeviceId): void {
    const account = this.deps.book.ownerOf(device)?.account
    if (account === undefined) return
    for (const live of this.transfers.all()) if (live.stored.contact === account || this.deps.book.isOwn(account)) this.resumeNow(live)
  }

  /** A contact was blocked or is no longer, or has lost a device: who may not fetch, or be asked, is left at once (FI4). */
  lookAtContacts(): void {
    this.served.lookAtContacts()
    this.fetcher.leave((device) => this.served.contactOf(device) === undefined)
    for (const live of this.transfers.all()) {
      if (this.deps.book.get(live.stored.contact)?.blocked !== true) {
        this.fetcher.takeUp(live)
        this.streams.tellEnd(live)
      } else {
        this.interrupt(live)
        this.mesh?.sender.forget(live)
      }
    }
  }

  private interrupt(live: Live): void {
    this.fetcher.interrupt(live)
    this.served.interrupt(live)
  }

  private async end(live: Live, change: End): Promise<void> {
    await this.fetcher.placed(live)
    if (live.stored.state === 'done') return
    await this.transfers.changeAnd(live, { told: false, ...change }, async () => {
      this.interrupt(live)
      if (live.stored.direction === 'out' && change.state === 'cancelled') this.mail.takeBack(live)
      await this.drop(live)
      this.teller.wake(live)
    })
  }

  private withSource<T>(live: Live, work: (source: SharedSource, isShared: () => boolean) => Promise<T>): Promise<T> {
    const { stored, manifest } = live
    const open = async () => new SharedSource(this.deps, manifest, await this.platform.openSource(stored.place, manifest))
    return this.pool.use(hexOf(manifest.key), open, work)
  }

  /** It has ended: what was kept beside it goes, of a source when nobody else is to get it. */
  private async drop(live: Live): Promise<void> {
    if (live.stored.direction === 'in') return this.fetcher.forget(live)
    this.mesh?.sender.forget(live)
    // A full disk keeps nothing of it either, and the copy is the room.
    await this.mail.forget(live).finally(() => this.dropSource(live))
  }

  private async dropSource({ stored, manifest }: Live): Promise<void> {
    const key = hexOf(manifest.key)
    const isSame = (each: Live): boolean => each.stored.direction === 'out' && hexOf(each.manifest.key) === key
    if (this.transfers.all().some((each) => isSame(each) && !isFinal(each.stored))) return
    await this.pool.drop(key)
    await this.platform.forgetSource(stored.place)
  }

  /** @returns whether it is over for good */
  private async onBroken(live: Live, { code }: SkeinError): Promise<boolean> {
    // The part of the program that reads files has ended, and is begun anew for the next who asks.
    if (code === 'STORE_CLOSED' || live.stored.state === 'paused') return false
    // Another device of the recipient still asks for it (FI39).
    if (isFinal(live.stored)) return true
    if (code === 'FILE_UNREADABLE') {
      await this.transfers.change(live, { state: 'waiting', reason: 'source-away' })
      return false
    }
    if (code === 'FILE_CHANGED') this.offering.anew(live)
    await this.transfers.changeAnd(live, { state: 'failed', reason: code, told: true }, () => this.drop(live))
    return true
  }
}
