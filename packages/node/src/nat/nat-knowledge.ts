/** Keeps what is known of the NAT up to date: one probe at a time, none without a reason. */
import type { Clock, Logger, Random } from '@skein/core'
import { ownPublicHosts } from '../punch/index.ts'
import { type NatView, probeNat, UNKNOWN_NAT } from './nat-probe.ts'

export interface NatKnowledgeDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  stunServers(): readonly (readonly string[])[]
  /** A probe has found something out. */
  onKnown(view: NatView): void
}

/** Before a probe: messages and direct connections go first. Milliseconds. */
const PROBE_AFTER_MS = 3_000
/** Before one more when nobody has answered, for the packets or the relay may only have been away: doubled each time, ms. */
const UNANSWERED = { first: 30_000, most: 900_000 }

export class NatKnowledge {
  private readonly deps: NatKnowledgeDeps
  private readonly stopping = new AbortController()
  private known: NatView = UNKNOWN_NAT
  private running: Promise<NatView> | undefined
  private isDue = false
  /** Probes in a row that nobody answered, and whether the next one is waited for. */
  private unanswered = 0
  private isWaiting = false

  constructor(deps: NatKnowledgeDeps) {
    this.deps = deps
  }

  /** What the last probe found; all `unknown` before the first. */
  view(): NatView {
    return this.known
  }

  /** Something has changed: probes soon. Concurrent calls are one. */
  async renew(): Promise<void> {
    if (this.isDue) return
    this.isDue = true
    const goesOn = await this.deps.clock.sleep(PROBE_AFTER_MS, { signal: this.stopping.signal })
    this.isDue = false
    if (goesOn) await this.probe()
  }

  /** Probes now, or waits for the probe that runs. Never rejects. */
  async probe(): Promise<NatView> {
    this.running ??= this.probeNow().finally(() => (this.running = undefined))
    return this.running
  }

  stop(): void {
    this.stopping.abort()
  }

  private async probeNow(): Promise<NatView> {
    const { clock, random, logger, stunServers } = this.deps
    const deps = { clock, random, stunServers: stunServers(), ownHosts: ownPublicHosts(), signal: this.stopping.signal }
    this.known = await probeNat(deps).catch((error: unknown) => {
      logger.debug('nat-probe-failed', { reason: String(error) })
      return UNKNOWN_NAT
    })
    if (deps.stunServers.length > 0) this.conclude(this.known)
    logger.info('nat', { udp: this.known.udp, mapping: this.known.mapping, filtering: this.known.filtering })
    return this.known
  }

  private conclude(view: NatView): void {
    this.deps.onKnown(view)
    if (view.udp) this.unanswered = 0
    else void this.askAgain()
  }

  private async askAgain(): Promise<void> {
    if (this.isWaiting) return
    this.isWaiting = true
    const wait = Math.min(UNANSWERED.most, UNANSWERED.first * 2 ** this.unanswered)
    this.unanswered += 1
    const goesOn = await this.deps.clock.sleep(wait, { signal: this.stopping.signal })
    this.isWaiting = false
    if (goesOn && !this.known.udp) await this.renew()
  }
}
