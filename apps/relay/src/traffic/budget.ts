/**
 * The month's traffic against what the operator pays for. Pure but for the row it keeps: `look` is called every few
 * seconds with what interfaces and relay have counted.
 */
import type { DurableEntries } from '@skein/node/swarm'
import * as z from 'zod'
import type { Settings } from '../settings.ts'
import type { InterfaceReading } from './interfaces.ts'

export type BudgetState = 'none' | 'ok' | 'warned' | 'slow' | 'stopped'

export interface BudgetReport {
  readonly state: BudgetState
  readonly used_bytes: number
  readonly limit_bytes: number
  /** First day of the current month of the budget. */
  readonly month: string
  readonly counted: 'interfaces' | 'relay'
}

export interface Counted {
  readonly interfaces: InterfaceReading | undefined
  /** Bytes that the relay itself has moved since it started. */
  readonly relay: number
}

const KEY = 'traffic-budget'
/** Between two writes, ms: what an interface carried since the last one is known after a crash anyway. */
const KEEP_EVERY_MS = 30_000
const recordSchema = z.object({
  month: z.string(),
  used: z.number().min(0),
  reading: z.object({ bytes: z.number(), epoch: z.string() }).optional(),
})
type Row = z.infer<typeof recordSchema>

export class Budget {
  readonly #entries: DurableEntries
  /** Before this process, or before the month began in it. */
  #row: Row
  #start: Counted
  #last: Counted
  #keptAt = Number.NEGATIVE_INFINITY

  constructor(entries: DurableEntries, { now, counted, settings }: { now: number; counted: Counted; settings: Settings['budget'] }) {
    this.#entries = entries
    this.#row = readRow(entries) ?? { month: monthOf(now, settings.firstDay), used: 0 }
    this.#start = { ...counted, interfaces: sinceBefore(this.#row.reading, counted.interfaces) }
    this.#last = counted
  }

  /** Takes in what has been counted; keeps it now and then, so that a crash forgets nothing that an interface remembers. */
  look(now: number, counted: Counted, settings: Settings['budget']): BudgetReport {
    this.#last = counted
    const month = monthOf(now, settings.firstDay)
    // A clock that jumps back does not open an old month again.
    if (month > this.#row.month) {
      this.#row = { month, used: 0 }
      this.#start = counted
      this.#keptAt = Number.NEGATIVE_INFINITY
    }
    const report = this.report(settings)
    if (Math.abs(now - this.#keptAt) >= KEEP_EVERY_MS) this.#keep(now, report)
    return report
  }

  /** Keeps what has been counted, also between two times for it: the relay stops. */
  close(now: number, settings: Settings['budget']): void {
    this.#keep(now, this.report(settings))
  }

  #keep(now: number, report: BudgetReport): void {
    const { interfaces } = this.#last
    const row: Row = { month: this.#row.month, used: report.used_bytes, ...(interfaces && { reading: interfaces }) }
    this.#entries.put(KEY, Buffer.from(JSON.stringify(row)))
    this.#keptAt = now
  }

  report(settings: Settings['budget']): BudgetReport {
    const { used, counted } = this.#used(settings.count)
    const limit = settings.bytesPerMonth
    return { state: stateOf(used, settings), used_bytes: used, limit_bytes: limit, month: this.#row.month, counted }
  }

  /** The larger of both where both are known: traffic on loopback crosses no interface, headers cross no relay. */
  #used(count: Settings['budget']['count']): { used: number; counted: BudgetReport['counted'] } {
    const [before, now] = [this.#start, this.#last]
    const relay = now.relay - before.relay
    const isReadable = now.interfaces !== undefined && now.interfaces.epoch === before.interfaces?.epoch
    const interfaces = isReadable ? Math.max(0, (now.interfaces?.bytes ?? 0) - (before.interfaces?.bytes ?? 0)) : 0
    if (count === 'relay' || (!isReadable && count === 'auto')) return { used: this.#row.used + relay, counted: 'relay' }
    if (count === 'interfaces') return { used: this.#row.used + interfaces, counted: 'interfaces' }
    return { used: this.#row.used + Math.max(interfaces, relay), counted: interfaces >= relay ? 'interfaces' : 'relay' }
  }
}

function stateOf(used: number, { bytesPerMonth, warnAt, slowFilesAt }: Settings['budget']): BudgetState {
  if (bytesPerMonth === 0) return 'none'
  const part = used / bytesPerMonth
  if (part >= 1) return 'stopped'
  if (part >= slowFilesAt) return 'slow'
  return part >= warnAt ? 'warned' : 'ok'
}

/** First day of the month of the budget, as `2026-11-01`. */
export function monthOf(now: number, firstDay: number): string {
  const at = new Date(now)
  const month = at.getUTCDate() >= firstDay ? at.getUTCMonth() : at.getUTCMonth() - 1
  return new Date(Date.UTC(at.getUTCFullYear(), month, firstDay)).toISOString().slice(0, 10)
}

/** What an interface carried between the last row and this start counts, as long as the machine stayed up. */
function sinceBefore(kept: InterfaceReading | undefined, now: InterfaceReading | undefined): InterfaceReading | undefined {
  return kept !== undefined && now !== undefined && kept.epoch === now.epoch && kept.bytes <= now.bytes ? kept : now
}

function readRow(entries: DurableEntries): Row | undefined {
  const bytes = entries.get(KEY)
  if (bytes === undefined) return undefined
  try {
    return recordSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return undefined
  }
}
