/** Offences per device: a bucket that fills with each and empties with time. */
import type { DeviceId } from '@skein/core'

/** Offences within a minute after which a device is dropped. */
const MOST_OFFENCES = 10
const DRAIN_EVERY_MS = 6_000
/** How long a dropped device is refused. */
const REFUSED_FOR_MS = 600_000
/** Devices remembered; made-up identities push out the oldest, not the memory. */
const MAX_DEVICES_REMEMBERED = 1_024

interface Record {
  level: number
  at: number
  refusedUntil: number
}

export class Penalties {
  private readonly records = new Map<DeviceId, Record>()

  /** Counts one offence at `now` (monotonic milliseconds); true when the device is to be dropped. */
  offend(device: DeviceId, now: number): boolean {
    const before = this.records.get(device) ?? { level: 0, at: now, refusedUntil: 0 }
    const level = Math.max(0, before.level - (now - before.at) / DRAIN_EVERY_MS) + 1
    const drop = level >= MOST_OFFENCES
    this.records.delete(device)
    const oldest = this.records.keys().next().value
    if (this.records.size >= MAX_DEVICES_REMEMBERED && oldest !== undefined) this.records.delete(oldest)
    this.records.set(device, { level, at: now, refusedUntil: drop ? now + REFUSED_FOR_MS : before.refusedUntil })
    return drop
  }

  isRefused(device: DeviceId, now: number): boolean {
    return (this.records.get(device)?.refusedUntil ?? 0) > now
  }
}
