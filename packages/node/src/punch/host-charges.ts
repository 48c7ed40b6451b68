/** What one punch over UDP costs the hosts that it sends to: each at which the other side is seen, in whichever round, counts once. */
import type { Allowance } from './allowance.ts'
import { TriedEnough } from './not-now.ts'
import type { Agreement, Offer } from './udp-coordination.ts'
import { planPunch } from './udp-plan.ts'

export class HostCharges {
  private readonly hosts: Allowance
  private readonly charged = new Set<string>()

  constructor(hosts: Allowance) {
    this.hosts = hosts
  }

  /** Nothing is counted yet. @throws TriedEnough when its host has been sent to often enough */
  requireRoom({ host }: Pick<Offer, 'host'>): void {
    if (!this.charged.has(host) && !this.hosts.has(host)) throw new TriedEnough()
  }

  /** Packets are about to go there, if the two can meet at all. @throws TriedEnough likewise */
  charge({ mine, theirs }: Agreement): void {
    // Whether there is a plan does not depend on the order in which it tries ports.
    if (this.charged.has(theirs.host) || planPunch(mine, theirs, 0) === undefined) return
    if (!this.hosts.take(theirs.host)) throw new TriedEnough()
    this.charged.add(theirs.host)
  }
}
