/** What was refused at limits, and what came to nothing, by service and reason: counted at once, told in the log once a minute. */
import type { Logger } from '@skein/core'

/** Between two lines in the log, ms: a flood is one line, not a million. */
const TELL_EVERY_MS = 60_000
/** Minutes that are recent. */
const RECENT = 10

/** Of a stream on which frames come. */
const FRAMES = ['malformed', 'size', 'timeout']
/**
 * What comes to nothing by itself, as port scans, health checks, lost clients and garbage do: it takes nothing from others,
 * and there is no limit to raise. Not who says too much to the DHT: nobody does that by mistake.
 */
const BY_ITSELF: Readonly<Record<string, readonly string[]>> = {
  handshake: ['failed', 'timeout'],
  connection: ['silent', ...FRAMES],
  websocket: ['failed', ...FRAMES],
  bulk: ['failed', ...FRAMES],
  http: ['tls', 'unread', ...FRAMES],
  stun: ['malformed'],
  reflector: ['timeout'],
  mail: ['unread', ...FRAMES],
  gossip: ['unread', 'malformed', 'size'],
  dht: ['malformed', 'timeout'],
  ...Object.fromEntries(['cards', 'admission', 'circuit', 'identify', 'ping'].map((service) => [service, FRAMES])),
}
/** Beyond so many a second even those cost time that others have to wait for. */
export const FLOOD_PER_S = 50

export const isByItself = ({ service, reason }: Pick<Refusal, 'service' | 'reason'>): boolean =>
  BY_ITSELF[service]?.includes(reason) ?? false

/** @param ms in which it was refused so often */
const isFlood = ({ count }: Pick<Refusal, 'count'>, ms: number): boolean => count > (FLOOD_PER_S * ms) / 1_000

/** Whether an operator is to look at it: at a limit, or a flood. */
export const isNotable = (recent: Refusal): boolean => !isByItself(recent) || isFlood(recent, RECENT * TELL_EVERY_MS)

export interface Refusal {
  readonly service: string
  readonly reason: string
  readonly count: number
}

export class Refusals implements Disposable {
  readonly #totals = new Map<string, Map<string, number>>()
  readonly #untold = new Map<string, number>()
  /** The totals of the minutes before, the oldest first. */
  readonly #before: ReadonlyMap<string, number>[] = [new Map()]
  readonly #logger: Logger
  readonly #telling: NodeJS.Timeout
  #isStopping = false

  constructor(logger: Logger) {
    this.#logger = logger
    this.#telling = setInterval(() => this.#tell(), TELL_EVERY_MS).unref()
  }

  /** @param service what was asked for @param reason one of few words */
  count(service: string, reason: string): void {
    if (this.#isStopping && isByItself({ service, reason })) return
    const reasons = this.#totals.get(service) ?? new Map<string, number>()
    this.#totals.set(service, reasons.set(reason, (reasons.get(reason) ?? 0) + 1))
    const name = nameOf({ service, reason })
    // The first of a minute is told at once: whoever watches is not to wait.
    if (!this.#untold.has(name)) this.#log('refused', { service, why: reason })
    this.#untold.set(name, (this.#untold.get(name) ?? -1) + 1)
  }

  /** What ends from now on the relay ends itself. */
  stop(): void {
    this.#isStopping = true
  }

  /** Since the start. */
  totals(): readonly Refusal[] {
    return [...this.#totals].flatMap(([service, reasons]) => [...reasons].map(([reason, count]) => ({ service, reason, count })))
  }

  /** Of the last ten minutes. */
  recent(): readonly Refusal[] {
    const [before] = this.#before
    const since = ({ count, ...each }: Refusal): Refusal => ({ ...each, count: count - (before?.get(nameOf(each)) ?? 0) })
    return this.totals()
      .map(since)
      .filter(({ count }) => count > 0)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#telling)
    this.#tell()
  }

  #log(event: string, fields: { readonly service: string; readonly why: string; readonly count?: number }): void {
    const { service, why: reason, count = 0 } = fields
    const isNews = isByItself({ service, reason }) && !isFlood({ count }, TELL_EVERY_MS)
    this.#logger[isNews ? 'info' : 'warn'](event, { ...fields })
  }

  #tell(): void {
    for (const [name, count] of this.#untold) {
      const [service = '', why = ''] = name.split(' ')
      if (count > 0) this.#log('refused-more', { service, why, count })
    }
    this.#untold.clear()
    this.#before.push(new Map(this.totals().map((each) => [nameOf(each), each.count])))
    if (this.#before.length > RECENT) this.#before.shift()
  }
}

const nameOf = ({ service, reason }: Pick<Refusal, 'service' | 'reason'>): string => `${service} ${reason}`
