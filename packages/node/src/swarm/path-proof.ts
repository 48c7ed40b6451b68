/** A path that is better than the one in use is used once it has carried something both ways (PT1). */
import type { Connection } from '@libp2p/interface'
import type { DeviceId, Logger } from '@skein/core'
import { markUnproven } from './connections.ts'
import { DOUBT_TIMEOUT_MS, PROOFS } from './constants.ts'
import { asError } from './framing.ts'
import { pingConnection } from './liveness.ts'

export interface PathProofDeps {
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
    const { logger, stopping, onProven } = this.deps
    markUnproven(opened, true)
    for (let tries = 0; tries < PROOFS; tries += 1) {
      const carries = await this.carries(opened)
      if (opened.status !== 'open' || stopping.aborted) return
      if (!carries) continue
      markUnproven(opened, false)
      return onProven(device)
    }
    logger.debug('path-carries-nothing', { device })
    opened.abort(asError('it carries nothing'))
  }

  private carries(connection: Connection): Promise<boolean> {
    return pingConnection(connection, AbortSignal.any([this.deps.stopping, AbortSignal.timeout(DOUBT_TIMEOUT_MS)])).then(
      () => true,
      () => false,
    )
  }
}
