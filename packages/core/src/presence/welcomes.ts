/** Which newcomers of a topic have been told of us: a room answers with a few WELCOMEs, not with one from each member (PR2). */
import type { DeviceId } from '../ids.ts'

/** WELCOMEs that repeat our presence and make ours needless; two, because a gossip message may be lost. */
export const ENOUGH_WELCOMES = 2
/** Newcomers remembered; the oldest go first. A newcomer is answered within seconds. */
const MAX_NEWCOMERS = 1_024

export class Welcomes {
  private readonly told = new Map<DeviceId, number>()

  /** Somebody's WELCOME to `newcomer` has repeated our presence. */
  count(newcomer: DeviceId): void {
    const before = this.told.get(newcomer) ?? 0
    this.told.delete(newcomer)
    const [oldest] = this.told.keys()
    if (this.told.size >= MAX_NEWCOMERS && oldest !== undefined) this.told.delete(oldest)
    this.told.set(newcomer, before + 1)
  }

  isTold(newcomer: DeviceId): boolean {
    return (this.told.get(newcomer) ?? 0) >= ENOUGH_WELCOMES
  }

  /** A newcomer has announced itself (again): what was said before does not count. */
  begin(newcomer: DeviceId): void {
    this.told.delete(newcomer)
  }
}
