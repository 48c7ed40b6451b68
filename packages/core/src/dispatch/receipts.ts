/** Receipts (RC1 to RC3): devices whose messages came by a carrier, or were seen, are told so, many at once. */
import { isSkeinError, STORE_FAILURES } from '../errors/index.ts'
import type { DeviceId, MessageId } from '../ids.ts'
import { type MainPath, sendControl } from '../main-path/index.ts'
import type { DueReceipt, StoredMessage, StoreWrite } from '../ports/store.ts'
import type { Proofs } from '../proofs/index.ts'
import type { FailedMessage } from '../wire/delivery-control.ts'
import { MAX_RECEIPTS } from '../wire/limits.ts'

/** What comes within this goes into one receipt, milliseconds; up to as long again is chance, so that mail and receipts are not matched by time. */
const GATHER_MS = 400
/** After a store that failed, milliseconds. */
const AGAIN_MS = 30_000
/** As many where each is signed: 64 bytes more for each. */
const MAX_SIGNED_RECEIPTS = 128

export class Receipts {
  private readonly path: MainPath
  private readonly proofs: Pick<Proofs, 'sign' | 'state'>
  private readonly signal: AbortSignal
  private readonly planned = new Set<DeviceId>()
  /** Devices to which receipts are due that could not be told: nothing to encrypt with, or no contact at present. */
  private readonly withheld = new Set<DeviceId>()

  constructor(path: MainPath, { proofs, signal }: { readonly proofs: Pick<Proofs, 'sign' | 'state'>; readonly signal: AbortSignal }) {
    this.path = path
    this.proofs = proofs
    this.signal = signal
  }

  /** Takes up what an earlier run left. */
  async start(): Promise<void> {
    for (const device of await this.path.store.receiptDevices()) void this.plan(device)
  }

  /** What is known of a device has changed: what could not be told to it may be now. */
  onContact(device: DeviceId): void {
    if (this.withheld.has(device)) void this.plan(device)
  }

  /** A durable receipt for a device is due. */
  async plan(device: DeviceId): Promise<void> {
    if (this.planned.has(device)) return
    this.planned.add(device)
    const { clock, random } = this.path
    const elapsed = await clock.sleep(GATHER_MS * (1 + random.uniform()), { signal: this.signal })
    this.planned.delete(device)
    if (elapsed) await this.send(device).catch((error: unknown) => this.failed(device, error))
  }

  /** Where the store had no room for it, another try follows (DL21). */
  private async failed(device: DeviceId, error: unknown): Promise<void> {
    this.path.logger.warn('receipt-not-sent', { reason: String(error) })
    if (!isSkeinError(error) || !STORE_FAILURES.includes(error.code)) return
    if (await this.path.clock.sleep(AGAIN_MS, { signal: this.signal })) void this.plan(device)
  }

  private async send(device: DeviceId): Promise<void> {
    const { store, book, clock } = this.path
    const known = book.device(device)
    const owner = book.ownerOf(device)
    this.withheld.add(device)
    if (known === undefined || owner?.state !== 'accepted' || owner.blocked) return
    const { ours, theirs } = this.proofs.state(owner.account)
    const most = ours && theirs ? MAX_SIGNED_RECEIPTS : MAX_RECEIPTS
    const due = await store.receiptsDue(device, most)
    if (due.length === 0) return void this.withheld.delete(device)
    const ids = (read: boolean): MessageId[] => due.filter((each) => each.read === read).map(({ message }) => message)
    const became = book.isOwn(owner.account) ? await this.whatBecame(due) : { delivered: ids(false), read: ids(true) }
    if (Object.values(became).every((each) => each.length === 0)) return this.nothingToTell(device, due)
    const receipt = { ...became, at: clock.now() }
    const control = { kind: 'receipt', ...receipt, proofs: await this.proofs.sign(owner.account, receipt) } as const
    const sent = await sendControl(this.path, known, { control, beside: due.map(removal) })
    if (sent) this.withheld.delete(device)
    if (sent && due.length === most) void this.plan(device)
  }

  /** Of what was said about messages, or ids that somebody has made up. */
  private async nothingToTell(device: DeviceId, due: readonly DueReceipt[]): Promise<void> {
    this.withheld.delete(device)
    await this.path.store.commit(due.map(removal))
    void this.plan(device)
  }

  /** What is known now of messages of ours: one that is sent again meanwhile has become nothing yet. */
  private async whatBecame(due: readonly DueReceipt[]): Promise<Became> {
    const found = await Promise.all([...new Set(due.map(({ message }) => message))].map((id) => this.path.store.message(id, 'out')))
    const messages = found.filter((message) => message !== null).filter(({ sender }) => sender === this.path.swarm.self)
    const ids = (state: StoredMessage['state']): MessageId[] => messages.filter((each) => each.state === state).map(({ id }) => id)
    const failed = messages.filter(({ state }) => state === 'failed').map(({ id, reason }) => ({ message: id, reason: reason ?? '' }))
    return { delivered: ids('delivered'), read: ids('read'), failed, carried: ids('carried') }
  }
}

interface Became {
  readonly delivered: readonly MessageId[]
  readonly read: readonly MessageId[]
  readonly failed: readonly FailedMessage[]
  readonly carried: readonly MessageId[]
}

function removal(receipt: DueReceipt): StoreWrite {
  return { kind: 'receipt.remove', receipt }
}
