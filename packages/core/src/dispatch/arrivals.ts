/** Sequence numbers of what has come from each device (DL19): a gap that stays is asked for. */
import type { DeviceId } from '../ids.ts'

/** Numbers missing at once that are remembered for a device; beyond that the oldest are given up. */
const MAX_GAPS = 1_024
/** Asked for so often, then not any more: its sender has it no longer. */
const MAX_ASKED = 3

interface Window {
  highest: number
  /** Missing number to how often it was asked for. */
  readonly missing: Map<number, number>
}

export class Arrivals {
  private readonly windows = new Map<DeviceId, Window>()

  /** @returns whether there is a gap now that was not there before */
  note(device: DeviceId, seq: number): boolean {
    const window = this.windows.get(device)
    if (window === undefined) {
      // What came before this run is not known to be missing.
      this.windows.set(device, { highest: seq, missing: new Map() })
      return false
    }
    window.missing.delete(seq)
    if (seq <= window.highest) return false
    const from = Math.max(window.highest + 1, seq - MAX_GAPS)
    for (let number = from; number < seq; number += 1) window.missing.set(number, 0)
    window.highest = seq
    for (const oldest of [...window.missing.keys()].slice(0, Math.max(0, window.missing.size - MAX_GAPS))) window.missing.delete(oldest)
    return from < seq
  }

  /** Numbers to ask a device for now, at most `limit`; each is given a few times only. */
  toAsk(device: DeviceId, limit: number): readonly number[] {
    const window = this.windows.get(device)
    if (window === undefined) return []
    const wanted = [...window.missing].slice(0, limit)
    for (const [seq, asked] of wanted) {
      if (asked + 1 >= MAX_ASKED) window.missing.delete(seq)
      else window.missing.set(seq, asked + 1)
    }
    return wanted.map(([seq]) => seq)
  }
}
