/** Counts what came from the network and was not looked at, so that an attack or a fault can be told from silence. */

/** Why something was not looked at. */
export const REFUSALS = [
  'lan-off-link',
  'mdns-flood',
  'mdns-absurd',
  'mdns-other',
  'punch-garbage',
  'punch-forged',
  'stun-garbage',
] as const
export type Refusal = (typeof REFUSALS)[number]

export class Tally {
  private readonly counts = new Map<Refusal, number>()

  add(why: Refusal): void {
    this.counts.set(why, (this.counts.get(why) ?? 0) + 1)
  }

  /** Since the start; those that never came are 0. */
  all(): Readonly<Record<Refusal, number>> {
    return Object.fromEntries(REFUSALS.map((why) => [why, this.counts.get(why) ?? 0])) as Record<Refusal, number>
  }
}
