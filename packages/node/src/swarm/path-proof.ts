/** A path that is better than the one in use is used once it has carried something both ways (PT1). */
import type { Connection, IdentifyResult } from '@libp2p/interface'
import type { Clock, DeviceId, Logger } from '@skein/core'
import { markInUse, markUnproven } from './connections.ts'
import { DOUBT_TIMEOUT_MS, PROOFS } from './constants.ts'
import { asError } from './framing.ts'
import { pingConnection } from './liveness.ts'
import type { Stack } from './client-stack.ts'

export interface PathProofDeps {
  readonly stack: Stack
  readonly clock: Clock
  readonly logger: Logger
  readonly stopping: AbortSignal
  /** What goes to the device from now on may take it. */
  onProven(device: DeviceId): void
}

export class PathProof {
  private readonly deps: PathProofDeps

  constructor(deps: PathProofDeps) {
    this.deps = deps
  }

  /** Until it is proven other connections go before it; one that carries nothing ends. */
  async of(device: DeviceId, opened: Connection): Promise<void> {
    const { clock, logger, stopping, onProven } = this.deps
    markUnproven(opened, true)
    for (let tries = 0; tries < PROOFS; tries += 1) {
      const carries = await this.carries(opened)
      if (opened.status !== 'open' || stopping.aborted) return
      if (!carries) continue
      markUnproven(opened, false)
      markInUse(opened, clock)
      return onProven(device)
    }
    logger.debug('path-carries-nothing', { device })
    opened.abort(asError('it carries nothing'))
  }

  /** What both sides tell each other on every new connection proves it too, and is under way already. */
  private async carries(connection: Connection): Promise<boolean> {
    const over = new AbortController()
    const signal = AbortSignal.any([this.deps.stopping, over.signal, AbortSignal.timeout(DOUBT_TIMEOUT_MS)])
    const proofs = [pingConnection(connection, signal), this.identified(connection, signal), hasOpenedStream(connection, signal)]
    const carries = await Promise.any(proofs).then(
      () => true,
      () => false,
    )
    over.abort()
    return carries
  }

  private identified(connection: Connection, signal: AbortSignal): Promise<void> {
    const { stack } = this.deps
    return new Promise((resolve, reject) => {
      const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => (detail.connection.id === connection.id ? resolve() : undefined)
      stack.addEventListener('peer:identify', onIdentify)
      signal.addEventListener('abort', () => {
        stack.removeEventListener('peer:identify', onIdentify)
        reject(new Error('not identified'))
      })
    })
  }
}

/** What both kinds of multiplexer have in common; the library shows their streams, and tells nobody else of new ones. */
interface Multiplexed {
  readonly muxer?: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>
}

/** Resolves when the other side has opened a stream: what this side has sent has come there, for without it there is no connection. */
function hasOpenedStream(connection: Connection, signal: AbortSignal): Promise<void> {
  const { muxer } = connection as Multiplexed
  return new Promise((resolve, reject) => {
    const onStream = (): void => (connection.streams.some(({ direction }) => direction === 'inbound') ? resolve() : undefined)
    muxer?.addEventListener('stream', onStream)
    signal.addEventListener('abort', () => {
      muxer?.removeEventListener('stream', onStream)
      reject(new Error('no stream was opened'))
    })
    onStream()
  })
}
