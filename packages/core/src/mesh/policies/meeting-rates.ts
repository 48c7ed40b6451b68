import type { MeshAddress } from '../bundle.ts'

/** Bounds of the classes of age, in milliseconds, doubling: how long ago the latest news of an address left it. */
const BOUNDS_MS = [60_000, 120_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000]
/**
 * What is assumed before anything was seen: whoever has fresh news of somebody is near, and news wears off while people
 * walk a kilometre or two. A few meetings of one's own outweigh it.
 */
const PRIOR = [12, 6, 4, 3, 1.5, 1, 1, 1, 1]
const PRIOR_MEETINGS = 4
const MOST = 2 ** 32 - 1
/** Meetings of one's own after which rates of others that are many times larger or smaller are not believed (ME11). */
const ENOUGH_MEETINGS = 8
const MANY_TIMES = 16
/** Meetings that one neighbour's word counts for at most, before. */
const MOST_LEARNED = 64

/** Learns, from a node's own meetings and what neighbours say of theirs, how much likelier one is for whoever has had fresh news of the other side. */
export class MeetingRates {
  private readonly meetings = BOUNDS_MS.map(() => 0).concat(0)
  private readonly waited = BOUNDS_MS.map(() => 0).concat(0)
  /** What was seen here, and nobody else can change. */
  private readonly own = { meetings: 0, waited: 0 }
  private seenUntil: number | undefined
  /** Meeting one device counts once for each of its addresses: that is one thing seen, and not so many. */
  addressesEach = 1

  /** Time has passed: adds to each class the time for which an address was in it. @param heard when each one's news left it */
  wait(heard: ReadonlyMap<MeshAddress, number>, now: number): void {
    const from = this.seenUntil ?? now
    this.seenUntil = now
    if (now <= from) return
    for (const at of heard.values()) this.spread(from - at, now - at)
    this.own.waited += heard.size * (now - from)
  }

  /** A node was met whose news was `age` old. */
  meet(age: number): void {
    const at = classOf(age)
    this.meetings[at] = (this.meetings[at] ?? 0) + 1
    this.own.meetings += 1
  }

  /** What is known, for a neighbour: meetings and seconds of waiting of each class, in 1/256 and whole. */
  told(): readonly number[] {
    if (total(this.waited) === 0) return []
    return [...this.meetings.map((count) => count * 256), ...this.waited.map((ms) => ms / 1_000)].map((value) =>
      Math.min(MOST, Math.round(value)),
    )
  }

  /**
   * Averages with what a neighbour knows, so that soon all know what all have seen. Its word never weighs more than
   * what is known here: one that makes up years of waiting, or meetings without waiting, does not outvote the rest.
   */
  average(told: readonly number[]): void {
    const classes = this.meetings.length
    if (told.length !== 2 * classes) return
    const theirs = total(told.slice(classes)) * 1_000
    if (theirs === 0) return
    const met = total(told.slice(0, classes)) / 256
    if (!this.isLikely(met / theirs)) return
    const most = this.own.meetings < ENOUGH_MEETINGS * this.addressesEach ? MOST_LEARNED * this.addressesEach : MOST
    const weight = Math.min(1, total(this.waited) / theirs, most / Math.max(1, met))
    for (let at = 0; at < classes; at += 1) {
      this.meetings[at] = ((this.meetings[at] ?? 0) + (weight * (told[at] ?? 0)) / 256) / 2
      this.waited[at] = ((this.waited[at] ?? 0) + weight * (told[classes + at] ?? 0) * 1_000) / 2
    }
  }

  /** Whether a rate, in meetings per millisecond, is near enough to what was seen here. */
  private isLikely(rate: number): boolean {
    const { meetings, waited } = this.own
    if (meetings < ENOUGH_MEETINGS * this.addressesEach || waited === 0) return true
    const times = rate / (meetings / waited)
    return times <= MANY_TIMES && times >= 1 / MANY_TIMES
  }

  /** How likely a meeting is for whoever has news of that age, compared with the average: 1 is average. */
  factor(age: number): number {
    const at = classOf(age)
    const expected = (this.waited[at] ?? 0) * this.rate()
    const prior = PRIOR_MEETINGS * this.addressesEach
    return ((this.meetings[at] ?? 0) + prior * (PRIOR[at] ?? 1)) / (expected + prior)
  }

  /** Milliseconds between two meetings with one given node, on average; `undefined` before enough of them. */
  interval(): number | undefined {
    return total(this.meetings) < PRIOR_MEETINGS * this.addressesEach ? undefined : 1 / this.rate()
  }

  private rate(): number {
    const waited = total(this.waited)
    return waited === 0 ? 0 : total(this.meetings) / waited
  }

  private spread(from: number, to: number): void {
    let start = from
    for (let at = classOf(from); start < to; at += 1) {
      const end = Math.min(to, BOUNDS_MS[at] ?? to)
      this.waited[at] = (this.waited[at] ?? 0) + end - start
      start = end
    }
  }
}

function classOf(age: number): number {
  const at = BOUNDS_MS.findIndex((bound) => age < bound)
  return at === -1 ? BOUNDS_MS.length : at
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
