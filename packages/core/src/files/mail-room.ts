/** Small files by mail, where one of the two is away (FI34, FI35): pieces out, pieces in, and what is said about them. */
import type { ContactBook } from '../contacts/index.ts'
import { isSkeinError, SkeinError } from '../errors/index.ts'
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import { type MainPath, sendFileWord } from '../main-path/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { OutboxRow, Store, StoreWrite } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import { decodeMailedWord, encodeMailedWord, type MailedWord } from '../wire/mailed-words.ts'
import { bytesOf } from './hex.ts'
import { FORGET_WORDS_MS, MAX_MAILED_DAY_BYTES, FOLLOWED_WITHIN_MS } from './limits.ts'
import { cutPieces, isMailable, joinPieces, sealWhole, type Sealing } from './mailed-pieces.ts'
import type { SharedSource } from './shared-source.ts'
import type { Live, TransferBook } from './transfer-book.ts'

const SEALING_BYTES = 16
const DAY_MS = 86_400_000

export interface MailRoomDeps {
  readonly store: Store
  readonly swarm: Swarm
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly primitives: Primitives
  readonly book: ContactBook
  readonly transfers: TransferBook
  path(): MainPath
  withSource<T>(live: Live, work: (source: SharedSource) => Promise<T>): Promise<T>
  /** It cannot be sent any more. */
  onBroken(live: Live, error: SkeinError): Promise<boolean>
  /** The recipient has it whole. @param digest SHA-256 of the content */
  onDone(live: Live, digest: Uint8Array): Promise<void>
  /** Its sender wants it to end. */
  onTakenBack(live: Live): Promise<void>
  /** The recipient says what it lacks, and waits for it by the mesh. */
  onWish(live: Live, wish: Extract<MailedWord, { kind: 'wish' }>): void
}

export class MailRoom {
  private readonly deps: MailRoomDeps
  /** One after the other: sealing is quick, and what is left to be said is looked up in the store. */
  private last: Promise<unknown> = Promise.resolve()
  /** Rows that no mailbox holds yet, by message, with what is left of their file. */
  private readonly leaving = new Map<MessageId, { readonly live: Live; readonly rows: Set<MessageId> }>()

  constructor(deps: MailRoomDeps) {
    this.deps = deps
  }

  /** What came for files that were never offered goes. */
  async start(): Promise<void> {
    await this.deps.store.commit([{ kind: 'file-words.prune', before: this.deps.clock.now() - FORGET_WORDS_MS }])
  }

  /** A mailbox holds the offer, so the recipient is away: what is offered follows. */
  onCarried({ message, device }: OutboxRow, carrier: string): void {
    const left = this.leaving.get(message)
    if (left !== undefined) this.onLeft(message, left)
    const live = carrier === 'mesh' ? undefined : this.deps.transfers.find(message, 'out')
    if (live !== undefined) this.soon(() => this.leave(live, device))
  }

  /** What is offered and not fetched follows offers that mailboxes hold. */
  lookAgain(live: Live): void {
    const { id, direction } = live.stored
    if (direction === 'out')
      this.soon(async () => {
        const rows = await this.deps.store.outboxOf(id)
        for (const { device } of rows.filter(({ carriers }) => carriers.some((each) => each !== 'mesh'))) await this.leave(live, device)
      })
  }

  /** The sender cannot be reached: it is told, once, that we wait. */
  askFor(live: Live): void {
    if (isMailable(live.manifest))
      this.soon(() => this.once(`ready ${live.stored.id}`, (beside) => this.say(live, { kind: 'ready' }, beside)))
  }

  /** The sender may never meet us: told by mail too. */
  sayDone(live: Live): void {
    const digest = bytesOf(live.stored.sha256 ?? '')
    this.soon(async () => void (await this.say(live, { kind: 'done', digest }, [])))
  }

  /** All of it, if all pieces have come. */
  async whole({ stored, manifest }: Live): Promise<Sealing | undefined> {
    if (!isMailable(manifest)) return undefined
    const words = await this.deps.store.fileWords(stored.contact, stored.id)
    return joinPieces(
      words.map(({ word }) => word),
      manifest,
    )
  }

  /** How much a stream has come to, once, to each device: it may be reached by mail or mesh alone, or take nothing that has no end (FI72). */
  sayEnded({ stored: { contact, id }, manifest: { size } }: Live): void {
    if (this.deps.book.get(contact)?.blocked === true) return
    for (const known of this.deps.book.devicesOf(contact))
      this.soon(() =>
        this.once(`ended ${id} ${known.device}`, async (beside) => {
          const said = { transfer: id, word: encodeMailedWord({ kind: 'ended', size }), beside }
          return (await sendFileWord(this.deps.path(), known, said)) !== undefined
        }),
      )
  }

  /** What its sender has said of the end of a stream: bytes. */
  async endSaid({ stored: { contact, id } }: Live): Promise<number | undefined> {
    const words = await this.deps.store.fileWords(contact, id)
    return words.map(({ word }) => decodedOf(word)).find((word) => word?.kind === 'ended')?.size
  }

  /** What is on its way leaves no more; who may have some of it is told. */
  takeBack(live: Live): void {
    const { id, contact } = live.stored
    const waiting = [...this.leaving].filter(([, left]) => left.live === live).map(([message]) => message)
    this.soon(async () => {
      const { store, book } = this.deps
      const rows = (await Promise.all(waiting.map((message) => store.outboxOf(message)))).flat()
      await store.commit(rows.map(({ message, device }) => ({ kind: 'outbox.remove', message, device })))
      for (const known of book.devicesOf(contact)) {
        const { device } = known
        if (rows.some((each) => each.device === device)) this.deps.path().reload(device)
        const said = { transfer: id, word: encodeMailedWord({ kind: 'cancelled' }), beside: [] }
        if (await store.hasDigest(this.digestOf(piecesFor(id, device)))) await sendFileWord(this.deps.path(), known, said)
      }
    })
  }

  /** Ends what its sender has taken back. @returns whether that was so */
  async endTakenBack(live: Live): Promise<boolean> {
    const words = await this.deps.store.fileWords(live.stored.contact, live.stored.id)
    const isTakenBack = words.some(({ word }) => decodedOf(word)?.kind === 'cancelled')
    if (isTakenBack) await this.deps.onTakenBack(live)
    return isTakenBack
  }

  /** All of it, if all pieces have come and none are taken back by what comes right behind them. */
  async toTake(live: Live): Promise<Sealing | undefined> {
    const whole = await this.whole(live)
    if (whole === undefined || (await this.endTakenBack(live))) return undefined
    const { clock, store } = this.deps
    const words = await store.fileWords(live.stored.contact, live.stored.id)
    const since = clock.now() - Math.max(...words.map(({ at }) => at))
    if (since >= 0 && since < FOLLOWED_WITHIN_MS) await clock.sleep(FOLLOWED_WITHIN_MS - since)
    return (await this.endTakenBack(live)) ? undefined : whole
  }

  /** What was said about it has been dealt with, or is of no use. */
  async forget({ stored: { contact, id } }: Live): Promise<void> {
    for (const [message, { live }] of this.leaving) if (live.stored.id === id) this.leaving.delete(message)
    await this.deps.store.commit([{ kind: 'file-words.remove', contact, transfer: id }])
  }

  /** The recipient says something about a file of ours. */
  heard(live: Live): void {
    this.soon(async () => {
      const { contact, id } = live.stored
      const words = (await this.deps.store.fileWords(contact, id)).map(({ word }) => decodedOf(word))
      await this.forget(live)
      const done = words.find((word) => word?.kind === 'done')
      if (done?.kind === 'done') return this.deps.onDone(live, done.digest)
      for (const word of words) if (word?.kind === 'wish') this.deps.onWish(live, word)
      if (words.some((word) => word?.kind === 'ready')) for (const device of this.awayOf(contact)) await this.leave(live, device)
    })
  }

  private awayOf(contact: AccountId): readonly DeviceId[] {
    const here = this.deps.swarm.paths().map(({ device }) => device)
    return this.deps.book
      .devicesOf(contact)
      .map(({ device }) => device)
      .filter((device) => !here.includes(device))
  }

  private onLeft(message: MessageId, { live, rows }: { readonly live: Live; readonly rows: Set<MessageId> }): void {
    this.leaving.delete(message)
    rows.delete(message)
    if (rows.size === 0 && live.stored.state === 'waiting')
      this.soon(async () => {
        if (live.stored.state === 'waiting') await this.deps.transfers.change(live, { reason: 'mailed' })
      })
  }

  /** Never throws; one after the other. */
  private soon(work: () => Promise<void>): void {
    this.last = this.last.then(work).catch((error: unknown) => this.deps.logger.warn('file-not-mailed', { reason: String(error) }))
  }

  /** @param work commits `beside` with what it does */
  private async once(what: string, work: (beside: readonly StoreWrite[]) => Promise<boolean>): Promise<void> {
    const { store, clock } = this.deps
    const digest = this.digestOf(what)
    if (!(await store.hasDigest(digest))) await work([{ kind: 'digest.put', digest, expiresAt: clock.now() + FORGET_WORDS_MS }])
  }

  private digestOf(what: string): Uint8Array {
    return this.deps.primitives.sha256(new TextEncoder().encode(`skein file mail ${what}`))
  }

  /** Tells the sender something. @returns the message that holds it; nothing where nothing is known to encrypt with */
  async tell(live: Live, word: MailedWord, beside: readonly StoreWrite[] = []): Promise<MessageId | undefined> {
    const known = this.deps.book.device(live.stored.device)
    const said = { transfer: live.stored.id, word: encodeMailedWord(word), beside }
    return known === undefined ? undefined : (await sendFileWord(this.deps.path(), known, said))?.message
  }

  private async say(live: Live, word: MailedWord, beside: readonly StoreWrite[]): Promise<boolean> {
    return (await this.tell(live, word, beside)) !== undefined
  }

  private leave(live: Live, device: DeviceId): Promise<void> {
    return this.once(piecesFor(live.stored.id, device), async (beside) => {
      const { stored, manifest } = live
      if (!isMailable(manifest) || (stored.state !== 'waiting' && stored.state !== 'running')) return false
      const count = await this.countOf(device, manifest.size)
      if (count === undefined) return false
      return this.leavePieces(live, device, [...beside, count])
    })
  }

  /** Texts are to find room under the same tags: `undefined` when it is too much for a day. */
  private async countOf(device: DeviceId, size: number): Promise<StoreWrite | undefined> {
    const key = `files.mailed.${device}`
    const today = Math.floor(this.deps.clock.now() / DAY_MS)
    const [day, bytes] = ((await this.deps.store.setting(key)) ?? '').split(' ').map(Number)
    const sum = (day === today ? (bytes ?? 0) : 0) + size
    return sum > MAX_MAILED_DAY_BYTES ? undefined : { kind: 'setting.put', key, value: `${today} ${sum}` }
  }

  private async leavePieces(live: Live, device: DeviceId, beside: readonly StoreWrite[]): Promise<boolean> {
    const known = this.deps.book.device(device)
    const whole = known === undefined ? undefined : await this.sealed(live)
    if (known === undefined || whole === undefined) return false
    const sealing = this.deps.random.bytes(SEALING_BYTES)
    const rows = new Set<MessageId>()
    const pieces = cutPieces(whole)
    for (const [index, bytes] of pieces.entries()) {
      const word = encodeMailedWord({ kind: 'piece', sealing, index, bytes })
      const last = index === pieces.length - 1
      const row = await sendFileWord(this.deps.path(), known, { transfer: live.stored.id, word, beside: last ? beside : [] })
      if (row === undefined) return false
      rows.add(row.message)
      this.leaving.set(row.message, { live, rows })
      this.deps.transfers.progress(live, { moved: live.stored.moved + bytes.length })
    }
    return true
  }

  private async sealed(live: Live): Promise<Uint8Array | undefined> {
    try {
      return await this.deps.withSource(live, (source) => sealWhole(source, live.manifest))
    } catch (error) {
      const own = isSkeinError(error) ? error : new SkeinError('FILE_UNREADABLE', 'The file cannot be read.', { cause: error })
      await this.deps.onBroken(live, own)
      return undefined
    }
  }
}

const piecesFor = (id: MessageId, device: DeviceId): string => `pieces ${id} ${device}`

function decodedOf(word: Uint8Array): MailedWord | undefined {
  try {
    return decodeMailedWord(word)
  } catch {
    return undefined
  }
}
