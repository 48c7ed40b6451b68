/** Offences per device: a bucket that fills with each and empties with time. */
import type { DeviceId } from '@skein/core'

/** Offences in a row after which a device is dropped. */
const MOST_OFFENCES = 10
/** One offence is forgiven in this time: ten a minute. */
const DRAIN_EVERY_MS = 6_000
/** How long a dropped device is refused. */
const REFUSED_FOR_MS = 600_000
/** Devices remembered; made-up identities push out the oldest, not the memory. */
const MAX_DEVICES_REMEMBERED = 1_024

interface Entry {
  readonly level: number
  readonly at: number
  readonly refusedUntil: number
}

export class Penalties {
  private readonly entries = new Map<DeviceId, Entry>()

  /** Counts one offence at `now` (monotonic milliseconds); true when the device is to be dropped. */
  offend(device: DeviceId, now: number): boolean {
    const before = this.entries.get(device) ?? { level: 0, at: now, refusedUntil: 0 }
    const level = Math.max(0, before.level - (now - before.at) / DRAIN_EVERY_MS) + 1
    // The bucket has drained a little since the first of ten in a row.
    const drop = level > MOST_OFFENCES - 1
    this.entries.delete(device)
    const oldest = this.entries.keys().next().value
    if (this.entries.size >= MAX_DEVICES_REMEMBERED && oldest !== undefined) this.entries.delete(oldest)
    this.entries.set(device, { level, at: now, refusedUntil: drop ? now + REFUSED_FOR_MS : before.refusedUntil })
    return drop
  }

  isRefused(device: DeviceId, now: number): boolean {
    return (this.entries.get(device)?.refusedUntil ?? 0) > now
  }

  get size(): number {
    return this.entries.size
  }
}
