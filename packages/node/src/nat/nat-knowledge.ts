/** Keeps what is known of the NAT up to date: one probe at a time, none without a reason. */
import type { Clock, Logger, Random } from '@skein/core'
import { ownPublicHosts } from '../punch/index.ts'
import { type NatView, probeNat, UNKNOWN_NAT } from './nat-probe.ts'

export interface NatKnowledgeDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  stunServers(): readonly (readonly string[])[]
  /** Whether a relay is reached by TCP now: then one that is silent over UDP does not simply happen to be away. */
  isRelayReached(): boolean
  /** A probe has found out whether UDP gets through; and whether the NAT turns packets round, where that is known. */
  onUdp(isThrough: boolean, turnsRound: boolean | null): void
  /** As of probes. */
  onGarbage?(): void
}

/** Before a probe: messages and direct connections go first. Milliseconds. */
const PROBE_AFTER_MS = 3_000
/** Before one more when nobody has answered, for the packets or the relay may only have been away: doubled each time, ms. */
const UNANSWERED = { first: 30_000, most: 900_000 }

/** One probe, and what ends it before it has found anything. */
interface Run {
  readonly done: Promise<void>
  readonly ended: AbortController
}

export class NatKnowledge {
  private readonly deps: NatKnowledgeDeps
  private readonly stopping = new AbortController()
  private known: NatView = UNKNOWN_NAT
  private running: Run | undefined
  private isDue = false
  /** Probes in a row that nobody answered. */
  private unanswered = 0
  /** Ends the wait for the next one after such a probe. */
  private waiting: AbortController | undefined

  constructor(deps: NatKnowledgeDeps) {
    this.deps = deps
  }

  /** What the last probe of this network found; all `unknown` before the first. */
  view(): NatView {
    return this.known
  }

  /** There is somebody else to ask: probes soon, after the probe that runs. Concurrent calls are one. */
  async renew(): Promise<void> {
    if (this.isDue) return
    this.isDue = true
    const goesOn = await this.deps.clock.sleep(PROBE_AFTER_MS, { signal: this.stopping.signal })
    await this.running?.done
    this.isDue = false
    if (goesOn) await this.probe()
  }

  /** The network is another one: what is known of the old one, and the probe that runs in it, are worth nothing. */
  async move(): Promise<void> {
    this.running?.ended.abort()
    this.waiting?.abort()
    this.running = undefined
    this.known = UNKNOWN_NAT
    this.unanswered = 0
    await this.renew()
  }

  /** Probes now, or waits for the probe that runs. Never rejects. */
  async probe(): Promise<NatView> {
    this.running ??= this.begin()
    const run = this.running
    await run.done
    return run.ended.signal.aborted && !this.stopping.signal.aborted ? this.probe() : this.known
  }

  stop(): void {
    this.stopping.abort()
  }

  private begin(): Run {
    const ended = new AbortController()
    const run: Run = {
      ended,
      done: this.probeNow(AbortSignal.any([this.stopping.signal, ended.signal])).finally(() => {
        if (this.running === run) this.running = undefined
      }),
    }
    return run
  }

  private async probeNow(signal: AbortSignal): Promise<void> {
    const { clock, random, logger, stunServers, isRelayReached } = this.deps
    const deps = { clock, random, stunServers: stunServers(), ownHosts: ownPublicHosts(), signal, onGarbage: () => this.deps.onGarbage?.() }
    const probed = await probeNat(deps).catch((error: unknown) => {
      logger.debug('nat-probe-failed', { reason: String(error) })
      return UNKNOWN_NAT
    })
    if (signal.aborted) return
    const found = probed.udp === false && !isRelayReached() ? { ...probed, udp: null } : probed
    this.known = found
    if (deps.stunServers.length > 0) this.conclude(found)
    logger.info('nat', { udp: found.udp ?? 'unknown', mapping: found.mapping, filtering: found.filtering })
  }

  private conclude({ udp, hairpin }: NatView): void {
    if (udp !== null) this.deps.onUdp(udp, hairpin)
    if (udp) this.unanswered = 0
    else void this.askAgain()
  }

  private async askAgain(): Promise<void> {
    if (this.waiting !== undefined) return
    const waiting = new AbortController()
    this.waiting = waiting
    const wait = Math.min(UNANSWERED.most, UNANSWERED.first * 2 ** this.unanswered)
    this.unanswered += 1
    const goesOn = await this.deps.clock.sleep(wait, { signal: AbortSignal.any([this.stopping.signal, waiting.signal]) })
    this.waiting = undefined
    if (goesOn && !this.known.udp) await this.renew()
  }
}
