/** One device's link: what is queued for it goes out in order, what it acknowledges leaves the outbox. */
import type { MessageId } from '../ids.ts'
import type { Channel } from '../ports/swarm.ts'
import type { OutboxRow } from '../ports/store.ts'
import { decodeDeliverFrame, encodeDelivery } from '../wire/deliver.ts'

/** Deliveries that may be unacknowledged at once (DL5): fills a path of 200 ms at 5,000 messages a second. */
export const MAX_IN_FLIGHT = 1_024
/** Bytes that may be unacknowledged at once (DL5): below the 4 MiB at which a WebRTC receiver that lags is cut off. */
export const MAX_IN_FLIGHT_BYTES = 1_048_576

export interface LinkEvents {
  /** These rows are durable at the recipient; resolves when that is recorded. */
  onAcknowledged(rows: readonly OutboxRow[]): Promise<void>
  /** Half of what may be under way, or less, is: time to look for more. */
  onRoom(): void
  onOffence(error: unknown): void
  /** What was acknowledged could not be recorded: the link is closed, and its rows go over the next one. */
  onFailure(error: unknown): void
}

/** Sends rows over one open channel until it closes. */
export class DeliveryLink {
  private readonly channel: Channel
  private readonly events: LinkEvents
  /** Rows taken and not yet acknowledged, by message. */
  private readonly taken = new Map<MessageId, OutboxRow>()
  private readonly waiting: OutboxRow[] = []
  private pumping = false
  private bytes = 0

  constructor(channel: Channel, events: LinkEvents) {
    this.channel = channel
    this.events = events
  }

  /** Whether a further row can be taken without growing memory. */
  get hasRoom(): boolean {
    return this.taken.size < MAX_IN_FLIGHT && this.bytes < MAX_IN_FLIGHT_BYTES
  }

  get isIdle(): boolean {
    return this.taken.size === 0
  }

  /** Takes a row, once, if there is room; what is not taken stays in the store and is found when there is. */
  post(row: OutboxRow): void {
    if (!this.hasRoom || this.taken.has(row.message)) return
    this.taken.set(row.message, row)
    this.bytes += row.sealed.length
    this.waiting.push(row)
    if (!this.pumping) void this.pump()
  }

  close(): void {
    this.channel.close()
  }

  /** Reads acknowledgements until the channel closes. */
  async run(): Promise<void> {
    for await (const bytes of this.channel.frames()) {
      try {
        const frame = decodeDeliverFrame(bytes)
        if (frame.kind === 'acknowledgement') void this.acknowledge(frame.ids).catch((error: unknown) => this.giveUp(error))
      } catch (error) {
        this.events.onOffence(error)
      }
    }
  }

  private giveUp(error: unknown): void {
    this.events.onFailure(error)
    this.close()
  }

  private async acknowledge(ids: readonly MessageId[]): Promise<void> {
    const rows = ids.map((id) => this.taken.get(id)).filter((row) => row !== undefined)
    if (rows.length === 0) return
    await this.events.onAcknowledged(rows)
    // Only now: a row forgotten before it is out of the store could be loaded and sent again.
    for (const row of rows) if (this.taken.delete(row.message)) this.bytes -= row.sealed.length
    if (this.taken.size <= MAX_IN_FLIGHT / 2 && this.bytes <= MAX_IN_FLIGHT_BYTES / 2) this.events.onRoom()
  }

  private async pump(): Promise<void> {
    this.pumping = true
    for (let row = this.waiting.shift(); row !== undefined; row = this.waiting.shift()) {
      const open = await this.channel.send(encodeDelivery({ id: row.message, seq: row.seq, sealed: row.sealed }))
      if (!open) break
    }
    this.pumping = false
  }
}
