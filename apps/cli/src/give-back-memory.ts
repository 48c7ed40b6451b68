/**
 * Gives memory back to the operating system while nothing happens. Starting a node and a burst of messages leave tens of
 * megabytes that V8 would keep until it needs them, which a node that waits for mail for days never does.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** How often it is looked whether it is time. Milliseconds. */
const LOOK_EVERY_MS = 5_000
/** Of one processor; above it somebody waits for us, and a collection would make them wait 0.1 s longer. */
const MOST_BUSY = 0.1
/** Less growth than this is not worth a collection. Bytes. */
const LEAST_GROWTH = 4 * 1_048_576

export interface Moment {
  /** Share of one processor used since the last look. */
  readonly busy: number
  /** Resident memory now, bytes. */
  readonly resident: number
  /** What stayed resident after the last collection, bytes. */
  readonly kept: number
}

export function isTimeToGiveBack({ busy, resident, kept }: Moment): boolean {
  return busy < MOST_BUSY && resident - kept >= LEAST_GROWTH
}

interface Collection {
  readonly type: 'major'
  /** Also drops the spare half of the young generation and code that has not run lately: that is most of it. */
  readonly flavor: 'last-resort'
  readonly execution: 'sync'
}
export type Collect = (how: Collection) => void

/** V8's own collection, which Node.js shows only under a flag; the flag is on for the moment of asking. */
export function collector(): Collect {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return typeof collect === 'function' ? (collect as Collect) : () => undefined
}

/**
 * Bytes outside of V8's heap, as chunks of files are, count as part of all memory. Alone, each 64 MiB of them end in a collection
 * of the whole heap, though nothing but they can be given back; how much of a transfer that takes was not told apart from a busy machine.
 */
export function countBytesOutside(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit')
}

/** Looks every five seconds for as long as the process lives, and keeps it alive no longer. */
export function giveBackMemory(collect: Collect = collector()): void {
  let kept = 0
  let used = process.cpuUsage()
  const look = (): void => {
    const { user, system } = process.cpuUsage(used)
    used = process.cpuUsage()
    const busy = (user + system) / 1_000 / LOOK_EVERY_MS
    if (!isTimeToGiveBack({ busy, resident: process.memoryUsage.rss(), kept })) return
    collect({ type: 'major', flavor: 'last-resort', execution: 'sync' })
    kept = process.memoryUsage.rss()
  }
  setInterval(look, LOOK_EVERY_MS).unref()
}
