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

/** How asking one device stands: kept, as programs that run for minutes at a time would never come to ask. */
interface Asking {
  readonly waitMs: number
  /** Milliseconds since 1970. */
  readonly nextAt: number
  /** What is carried since then: rows up to this number. */
  readonly upTo: number
}

export interface UnconfirmedDeps {
  /** Whether a stream to the device is open: what it has not acknowledged goes there. */
  isLinked(device: DeviceId): boolean
}

const settingOf = (device: DeviceId): string => `unconfirmed ${device}`

/** The sender's side. */
export class Unconfirmed {
  private readonly path: MainPath
  private readonly deps: UnconfirmedDeps
  /** Devices that are there again, and since when, milliseconds since 1970. */
  private readonly heardAt = new Map<DeviceId, number>()

  constructor(path: MainPath, deps: UnconfirmedDeps) {
    this.path = path
    this.deps = deps
  }

  /** The device is there again: it need not be asked as seldom as one that is away. */
  heard(device: DeviceId): void {
    if (!this.heardAt.has(device)) this.heardAt.set(device, this.path.clock.now())
  }

  /** Asks about what is due to be asked about. */
  async look(): Promise<void> {
    for (const { device } of await this.path.store.outboxDevices()) await this.lookAt(device)
  }

  private async lookAt(device: DeviceId): Promise<void> {
    const page = await this.path.store.outbox(device, 0, MAX_MISSING)
    const carried = page.filter(({ state, transient }) => state === 'carried' && !transient)
    const upTo = carried.at(-1)?.seq
    if (upTo === undefined || this.deps.isLinked(device)) return
    const now = this.path.clock.now()
    const known = await this.asked(device)
    const old = carried.filter(({ seq }) => seq <= (known?.upTo ?? 0))
    // What was asked about before has arrived since, or was given up.
    if (known === undefined || old.length === 0) return this.keep(device, { waitMs: FIRST_MS, nextAt: now + FIRST_MS, upTo })
    if (now < known.nextAt) return
    // What waits already, perhaps an earlier question, has found no carrier either.
    if (!page.some(({ transient, carriers }) => transient && carriers.length === 0)) await this.ask(device, old)
    const waitMs = Math.min(2 * known.waitMs, LAST_MS)
    await this.keep(device, { waitMs, nextAt: now + waitMs, upTo })
  }

  private async asked(device: DeviceId): Promise<Asking | undefined> {
    const kept = await this.path.store.setting(settingOf(device))
    if (kept === null) return undefined
    const [waitMs = 0, nextAt = 0, upTo = 0] = kept.split(' ').map(Number)
    const heardAt = this.heardAt.get(device)
    const asking = heardAt === undefined ? { waitMs, nextAt } : { waitMs: FIRST_MS, nextAt: Math.min(nextAt, heardAt + FIRST_MS) }
    // A clock that was set back makes nobody wait for longer than a wait is.
    return { ...asking, nextAt: Math.min(asking.nextAt, this.path.clock.now() + asking.waitMs), upTo }
  }

  private async keep(device: DeviceId, { waitMs, nextAt, upTo }: Asking): Promise<void> {
    this.heardAt.delete(device)
    await this.path.store.commit([{ kind: 'setting.put', key: settingOf(device), value: `${waitMs} ${nextAt} ${upTo}` }])
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
