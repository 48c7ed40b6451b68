/** Tells when this machine's network addresses or its way out change, or when it has slept: nothing in Node.js does. */
import { type NetworkInterfaceInfo, networkInterfaces, uptime } from 'node:os'
import type { Clock } from '@skein/core'
import { defaultRoute, ownWayOut } from './default-route.ts'
import type { NetworkChange } from './network-change.ts'

/** Between two looks, ms. One takes a tenth of a millisecond; a person notices a second of silence. */
const LOOK_EVERY_MS = 500
/** A look that comes so much later than it should means that the machine has slept, ms; far above what load does to a timer. */
const ASLEEP_MS = 5_000

export interface WatchDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** How long the machine has been up, its sleep included, ms; nobody sets it, as the wall clock is set. */
  readonly up?: () => number
  readonly interfaces?: () => NodeJS.Dict<NetworkInterfaceInfo[]>
  /** The way out, as text to be compared. Never rejects. */
  readonly route?: () => Promise<string>
  /** Which of the addresses are used towards the internet, likewise; asked only when something has changed. */
  readonly source?: () => Promise<string>
}

/** Runs until `signal` aborts. */
export async function watchNetwork(
  { clock, signal, up = () => uptime() * 1_000, interfaces = networkInterfaces, route = defaultRoute, source = ownWayOut }: WatchDeps,
  onChange: (change: NetworkChange) => void,
): Promise<void> {
  /** What was known still counts where the system does not say. */
  const look = (known: readonly string[]): readonly string[] => {
    try {
      return Object.values(interfaces()).flatMap((each) => each?.map(({ address }) => address) ?? [])
    } catch {
      return known
    }
  }
  let [last, way, used, at] = [look([]), await route(), await source(), up()]
  while (await clock.sleep(LOOK_EVERY_MS, { signal })) {
    const [now, nowWay, instant] = [look(last), await route(), up()]
    const changed = now.toSorted().join() !== last.toSorted().join() || nowWay !== way
    const late = instant - at - LOOK_EVERY_MS
    const sleptMs = late > ASLEEP_MS ? late : 0
    const nowUsed = changed ? await source() : used
    const isSameWay = nowUsed !== '' && nowWay === way && nowUsed === used
    if (changed || sleptMs > 0) onChange({ present: new Set(now), hasLost: last.some((each) => !now.includes(each)), isSameWay, sleptMs })
    ;[last, way, used, at] = [now, nowWay, nowUsed, instant]
  }
}
