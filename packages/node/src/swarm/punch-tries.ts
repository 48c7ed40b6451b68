/** Punches beside other rungs of the ladder: begun, begun again where they were not tried, and what is remembered of how they went. */
import type { Connection } from '@libp2p/interface'
import type { Clock, DeviceId } from '@skein/core'
import { BrokenOff, isBrokenOff } from '../punch/broken-off.ts'
import { DCUTR_PROTOCOL } from '../punch/coordination.ts'
import type { Puncher } from '../punch/index.ts'
import { NotNow } from '../punch/not-now.ts'
import { PUNCH_PROTOCOL } from '../punch/udp-puncher.ts'
import { untilAborted } from './abandon.ts'
import { isRelayedConnection, pickConnection } from './connections.ts'
import { PUNCH_AGAIN_AFTER_MS } from './constants.ts'
import type { Dialler } from './dialling.ts'
import { asError } from './framing.ts'
import { isTried, NO_UDP_THERE, type RungReport, whyEnded } from './rungs.ts'

export interface PunchTriesDeps {
  readonly self: DeviceId
  readonly clock: Clock
  readonly puncher: { readonly tcp: Pick<Puncher['tcp'], 'punch'>; readonly udp: Pick<Puncher['udp'], 'punch' | 'decline'> }
  readonly dialler: Pick<Dialler, 'remember' | 'reports'>
  connections(device: DeviceId): readonly Connection[]
  /** What the device says that it speaks; nothing before it has. */
  protocols(device: DeviceId): Promise<readonly string[]>
}

/** What a punch is tried beside. */
export interface Trial {
  /** Its `circuit` aborts when the device has come over a relay once more, and is another one then. */
  readonly search: { readonly circuit: AbortController }
  /** Of the round. */
  readonly signal: AbortSignal
  /** The other rungs have come to nothing: no circuit is waited for. */
  readonly dialled: AbortSignal
  /** Why nothing is tried over UDP. */
  readonly noUdp: string | undefined
}

/** The other side has not come over a relay. */
class NoCircuit extends Error {}

const OTHER_SIDE = 'the other side begins'
const CANNOT = 'the other side is a page, and cannot punch'
const PROTOCOLS = { tcp: DCUTR_PROTOCOL, udp: PUNCH_PROTOCOL } as const

export class PunchTries {
  private readonly deps: PunchTriesDeps

  constructor(deps: PunchTriesDeps) {
    this.deps = deps
  }

  /**
   * Until it has been tried. One that broke off has not been; other rungs may take so long to fail that there is time for it again. The same holds for a
   * circuit by which the other side comes while they are being tried: both sides may have dialled at the same time.
   */
  async tried(device: DeviceId, by: 'tcp' | 'udp', trial: Trial): Promise<void> {
    for (let breaks = 0; ; ) {
      const { circuit } = trial.search
      try {
        return await this.punch(device, by, trial)
      } catch (error) {
        const isTried = !(error instanceof NoCircuit || isBrokenOff(error))
        if (isTried || !(await (error instanceof NoCircuit ? reached(circuit.signal, trial) : this.hasRested(breaks++, trial)))) throw error
      }
    }
  }

  private async hasRested(breaks: number, { signal }: Trial): Promise<boolean> {
    const wait = PUNCH_AGAIN_AFTER_MS[breaks]
    return wait !== undefined && this.deps.clock.sleep(wait, { signal })
  }

  /** The side that was reached over the relay begins; the other one answers. */
  private async punch(device: DeviceId, by: 'tcp' | 'udp', { signal, noUdp }: Trial): Promise<void> {
    const { puncher, dialler, self, connections } = this.deps
    const note = (outcome: RungReport['outcome'], detail: string): void =>
      dialler.remember(device, [{ rung: `${by}-punch`, outcome, detail }])
    const inbound = (each: Connection): boolean => each.status === 'open' && each.direction === 'inbound' && isRelayedConnection(each)
    const relayed = pickConnection(connections(device).filter(inbound), self)
    if (by === 'udp' && noUdp !== undefined) {
      note('failed', noUdp)
      if (relayed !== undefined) void puncher.udp.decline(relayed, signal).catch(() => undefined)
      throw new Error(noUdp)
    }
    if (relayed === undefined) {
      if (await this.isBeyond(device, by)) note('failed', CANNOT)
      else this.noteUnlessKnown(device, { rung: `${by}-punch`, outcome: 'other-side', detail: OTHER_SIDE })
      throw new NoCircuit(OTHER_SIDE)
    }
    try {
      await puncher[by].punch(relayed, device, signal)
      note('open', '')
    } catch (error) {
      if (await this.isBeyond(device, by)) {
        note('failed', CANNOT)
        throw new Error(CANNOT)
      }
      const isUntried = !signal.aborted && (error instanceof NotNow || isBrokenOff(error))
      this.failed(device, by, isUntried ? asError(error) : new Error(whyEnded(error, signal)))
      throw error
    }
  }

  /** Whether the device has said what it speaks, and this is not among it: pages cannot open sockets. */
  private async isBeyond(device: DeviceId, by: 'tcp' | 'udp'): Promise<boolean> {
    const spoken = await this.deps.protocols(device)
    return spoken.length > 0 && !spoken.includes(PROTOCOLS[by])
  }

  /** How a punch went that the other side has begun. */
  answered(device: DeviceId, by: 'tcp' | 'udp', error?: Error): void {
    if (error !== undefined) this.failed(device, by, error)
    else this.deps.dialler.remember(device, [{ rung: `${by}-punch`, outcome: 'open', detail: '' }])
  }

  private failed(device: DeviceId, by: 'tcp' | 'udp', error: Error): void {
    const detail = isBrokenOff(error) && !(error instanceof BrokenOff) ? 'it broke off' : error.message
    const report: RungReport = { rung: `${by}-punch`, outcome: 'failed', detail }
    // It was not tried to its end, and another may be under way.
    if (error instanceof NotNow || isBrokenOff(error) || !isTried(report)) this.noteUnlessKnown(device, report)
    else this.deps.dialler.remember(device, detail === NO_UDP_THERE ? [report, { ...report, rung: 'webrtc' }] : [report])
  }

  /** What was found out when it was really tried says more than that it was not tried to the end this time. */
  private noteUnlessKnown(device: DeviceId, report: RungReport): void {
    const { dialler } = this.deps
    if (dialler.reports(device).some(({ rung, outcome }) => rung === report.rung && outcome === 'failed')) return
    dialler.remember(device, [report])
  }
}

/** Whether the device has come over a relay while it may still be of use. */
async function reached(circuit: AbortSignal, { signal, dialled }: Trial): Promise<boolean> {
  await untilAborted(AbortSignal.any([signal, dialled, circuit]))
  return circuit.aborted && !signal.aborted
}
