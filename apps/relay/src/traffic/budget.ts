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
/** Other months that are remembered, for a clock that has been wrong and is set right. */
const MAX_OTHERS = 4
const monthSchema = z.object({ month: z.string().regex(/^\d{4}-\d\d-\d\d$/), used: z.number().min(0) })
const recordSchema = monthSchema.extend({
  /** What had been used when this month began, or was come back to. */
  begun: z.number().min(0).default(0),
  others: z.array(monthSchema).max(MAX_OTHERS).default([]),
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
    this.#row = readRow(entries) ?? { month: monthOf(now, settings.firstDay), used: 0, begun: 0, others: [] }
    this.#start = { ...counted, interfaces: sinceBefore(this.#row.reading, counted.interfaces) }
    this.#last = counted
  }

  /** Takes in what has been counted; keeps it now and then, so that a crash forgets nothing that an interface remembers. */
  look(now: number, counted: Counted, settings: Settings['budget']): BudgetReport {
    if (hasBegunAnew(this.#last.interfaces, counted.interfaces)) this.#fold(counted, settings)
    this.#last = counted
    const month = monthOf(now, dayOf(this.#row.month))
    if (month !== this.#row.month) this.#turnTo(month, counted, settings)
    if (dayOf(month) !== settings.firstDay) this.#rename(monthOf(now, settings.firstDay))
    const report = this.report(settings)
    if (Math.abs(now - this.#keptAt) >= KEEP_EVERY_MS) this.#keep(now, report)
    return report
  }

  /** Keeps what has been counted, also between two times for it: the relay stops. */
  close(now: number, settings: Settings['budget']): void {
    this.#keep(now, this.report(settings))
  }

  /**
   * The month has ended, or the clock has been set. A month that was seen before goes on where it was, with what has passed
   * meanwhile: a look at the year to come settles nothing. One that is earlier than all that is known begins with what is used.
   */
  #turnTo(month: string, counted: Counted, { count }: Settings['budget']): void {
    const { used } = this.#used(count)
    const { begun, others, month: left } = this.#row
    const known = others.find((each) => each.month === month)
    const fresh = month > left ? 0 : used
    const next = known === undefined ? fresh : known.used + used - begun
    const kept = [{ month: left, used }, ...others.filter((each) => each !== known)]
    this.#row = { month, used: next, begun: next, others: kept.slice(0, MAX_OTHERS) }
    this.#start = counted
    this.#keptAt = Number.NEGATIVE_INFINITY
  }

  /** The operator has set another first day: what is used since the old one belongs to this month, as far as anybody knows. */
  #rename(month: string): void {
    this.#row = { ...this.#row, month, others: this.#row.others.filter((each) => each.month !== month) }
    this.#keptAt = Number.NEGATIVE_INFINITY
  }

  /** Another set of interfaces counts from another beginning: what was used until then is settled. */
  #fold({ interfaces }: Counted, { count }: Settings['budget']): void {
    this.#row = { ...this.#row, used: this.#used(count).used }
    this.#start = { interfaces, relay: this.#last.relay }
  }

  #keep(now: number, report: BudgetReport): void {
    const { interfaces } = this.#last
    const row: Row = { ...this.#row, used: report.used_bytes, ...(interfaces && { reading: interfaces }) }
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

function hasBegunAnew(before: InterfaceReading | undefined, now: InterfaceReading | undefined): boolean {
  return before?.epoch !== now?.epoch || (now?.bytes ?? 0) < (before?.bytes ?? 0)
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

const dayOf = (month: string): number => Number(month.slice(-2))

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
