/**
 * What carriers say to hold, and nobody has confirmed (RC4): its recipient is asked. A mailbox may lose mail, or the receipt for
 * it, and nobody else notices while no later message comes.
 */
import type { DeviceId } from '../ids.ts'
import { isKnown, type MainPath, sendControl } from '../main-path/index.ts'
import type { OutboxRow, StoreWrite } from '../ports/store.ts'
import type { UnconfirmedMessage } from '../wire/delivery-control.ts'
import { MAX_MISSING } from '../wire/limits.ts'

/** Carried so long, then asked about; each further question waits twice as long as the one before … */
const FIRST_MS = 600_000
/** … up to a day, milliseconds: who is away for a month finds thirty at most. */
const LAST_MS = 86_400_000

interface Asking {
  readonly waitMs: number
  /** Monotonic. */
  readonly nextAt: number
  /** What is carried since then: rows up to this number. */
  readonly upTo: number
}

export interface UnconfirmedDeps {
  /** Whether a stream to the device is open: what it has not acknowledged goes there. */
  isLinked(device: DeviceId): boolean
}

/** The sender's side. */
export class Unconfirmed {
  private readonly path: MainPath
  private readonly deps: UnconfirmedDeps
  private readonly asking = new Map<DeviceId, Asking>()

  constructor(path: MainPath, deps: UnconfirmedDeps) {
    this.path = path
    this.deps = deps
  }

  /** The device is there again: it need not be asked as seldom as one that is away. */
  heard(device: DeviceId): void {
    const known = this.asking.get(device)
    if (known === undefined || known.waitMs === FIRST_MS) return
    const soon = this.path.clock.monotonic() + FIRST_MS
    this.asking.set(device, { ...known, waitMs: FIRST_MS, nextAt: Math.min(known.nextAt, soon) })
  }

  /** Asks about what is due to be asked about. */
  async look(): Promise<void> {
    const devices = (await this.path.store.outboxDevices()).map(({ device }) => device)
    for (const device of this.asking.keys()) if (!devices.includes(device)) this.asking.delete(device)
    for (const device of devices) await this.lookAt(device)
  }

  private async lookAt(device: DeviceId): Promise<void> {
    const page = await this.path.store.outbox(device, 0, MAX_MISSING)
    const carried = page.filter(({ state, transient }) => state === 'carried' && !transient)
    const upTo = carried.at(-1)?.seq
    if (upTo === undefined || this.deps.isLinked(device)) return void this.asking.delete(device)
    const now = this.path.clock.monotonic()
    const known = this.asking.get(device)
    if (known !== undefined && now < known.nextAt) return
    const old = carried.filter(({ seq }) => seq <= (known?.upTo ?? 0))
    // What waits already, perhaps an earlier question, has found no carrier either.
    if (old.length > 0 && !page.some(({ transient, carriers }) => transient && carriers.length === 0)) await this.ask(device, old)
    const waitMs = old.length === 0 || known === undefined ? FIRST_MS : Math.min(2 * known.waitMs, LAST_MS)
    this.asking.set(device, { waitMs, nextAt: now + waitMs, upTo })
  }

  private async ask(device: DeviceId, rows: readonly OutboxRow[]): Promise<void> {
    const known = this.path.book.device(device)
    const messages = rows.map(({ message, seq }) => ({ message, seq }))
    if (known !== undefined) await sendControl(this.path, known, { control: { kind: 'unconfirmed', messages } })
  }
}

/**
 * The recipient's side: a receipt is due again for what is here, and what is not is asked for.
 * @param readReceipts whether the user lets senders know what was seen @returns whether a receipt is due
 */
export async function answerUnconfirmed(
  path: MainPath,
  device: DeviceId,
  { asked, readReceipts }: { readonly asked: readonly UnconfirmedMessage[]; readonly readReceipts: boolean },
): Promise<boolean> {
  const { store, book } = path
  const known = book.device(device)
  const here = await Promise.all(asked.map(({ message }) => isKnown(path, device, message)))
  const missing = asked.filter((_, at) => here[at] === false).map(({ seq }) => seq)
  const found = await Promise.all(asked.filter((_, at) => here[at]).map(({ message }) => store.message(message, 'in')))
  const seen = new Set(found.flatMap((message) => (message?.sender === device && message.seen && readReceipts ? [message.id] : [])))
  const due = asked.filter((_, at) => here[at])
  const writes = due.map(({ message }): StoreWrite => ({ kind: 'receipt.put', receipt: { device, message, read: seen.has(message) } }))
  if (writes.length > 0) await store.commit(writes)
  if (missing.length > 0 && known !== undefined) await sendControl(path, known, { control: { kind: 'missing', seqs: missing } })
  return writes.length > 0
}
