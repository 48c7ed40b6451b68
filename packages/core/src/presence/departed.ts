/** The newest presence of who has gone, for as long as a recording of it could still be played (PR10). */
import type { DeviceId } from '../ids.ts'
import { CLOCK_WINDOW_MS, MAX_PRESENT, type Present } from './presence-table.ts'

export class Departed {
  private readonly gone = new Map<DeviceId, { readonly signedAt: number; readonly until: number }>()

  /** @param now monotonic milliseconds */
  add({ device, signedAt }: Present, now: number): void {
    this.gone.delete(device)
    for (const [old, { until }] of this.gone) {
      if (until > now && this.gone.size < MAX_PRESENT) break
      this.gone.delete(old)
    }
    this.gone.set(device, { signedAt, until: now + 2 * CLOCK_WINDOW_MS })
  }

  /** Whether a presence signed at this time was known, or could have been, before its device went. */
  knew(device: DeviceId, signedAt: number): boolean {
    const last = this.gone.get(device)
    return last !== undefined && signedAt <= last.signedAt
  }
}
