import { isTolerated, latest, resumed, tick } from '../delivery/hybrid-clock.ts'
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store, StoreWrite } from '../ports/store.ts'
import type { SequenceSource, StampSource } from './context.ts'

const SETTING = 'hybrid-clock'

/** The hybrid clock, taken up where the last commit left it. */
export async function openStamps(store: Store, clock: Clock): Promise<StampSource> {
  const [ms = 0, counter = 0] = ((await store.setting(SETTING)) ?? '0.0').split('.').map(Number)
  let last = { ms, counter }
  return {
    next: () => {
      last = tick(resumed(last, clock.now()), clock.now())
      return last
    },
    observe: (stamp) => {
      const now = clock.now()
      const own = resumed(last, now)
      // Each at a place of its own behind what is here: in one millisecond they would be ordered by chance.
      const counted = isTolerated(stamp, now) ? stamp : tick(own, now)
      last = latest(own, counted)
      return counted
    },
    current: () => last,
  }
}

/** Goes into the same transaction as the message that moved the clock. */
export function stampWrite(stamps: StampSource): StoreWrite {
  const { ms, counter } = stamps.current()
  return { kind: 'setting.put', key: SETTING, value: `${ms}.${counter}` }
}

/** Sequence numbers from memory; the store is asked once per device. */
export function openSequences(store: Store): SequenceSource {
  const last = new Map<DeviceId, Promise<{ value: number }>>()
  return {
    next: async (device) => {
      const known = last.get(device) ?? store.seq(device).then((value) => ({ value }))
      last.set(device, known)
      const counter = await known
      counter.value += 1
      return counter.value
    },
  }
}
