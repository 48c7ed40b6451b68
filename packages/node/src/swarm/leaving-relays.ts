/** Relays that have said that they go away: what is reached over them is reached over another one before they do. */
import type { Connection } from '@libp2p/interface'
import { type Channel, type Clock, decodeNotice, type DeviceId, type Logger, type ProtocolId, type Random } from '@skein/core'
import { deviceOf, isRelayedConnection, markLeaving } from './connections.ts'

export const NOTICE_PROTOCOL: ProtocolId = '/skein/notice/1'

/** Part of the notice in which circuits are moved; the rest is for slow dials. */
const MOVE_IN = 0.6

/** In which its members return to a relay that has started anew, ms: hundreds of handshakes take it seconds. */
const RETURN_IN_MS = 5_000

export interface LeavingRelaysDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly stopping: AbortSignal
  connections(): readonly Connection[]
  /** Opens a circuit over any relay but these. @throws Error when there is none */
  dialAround(device: DeviceId, without: ReadonlySet<DeviceId>): Promise<unknown>
  /** Channels opened from now on take the new circuit. */
  onBetterPath(device: DeviceId): void
}

export class LeavingRelays {
  readonly #deps: LeavingRelaysDeps
  readonly #leaving = new Set<DeviceId>()

  constructor(deps: LeavingRelaysDeps) {
    this.#deps = deps
  }

  /** Relays over which nothing is begun any more. */
  get devices(): ReadonlySet<DeviceId> {
    return this.#leaving
  }

  /** How long to wait, ms, before a relay that has left is joined again, where there is another one meanwhile. */
  restFor(relay: DeviceId): number {
    return this.#leaving.has(relay) ? this.#deps.random.uniform() * RETURN_IN_MS : 0
  }

  /** One notice of whoever sends it: a device that relays nothing for us changes nothing. */
  async receive(channel: Channel): Promise<void> {
    for await (const frame of channel.frames()) {
      const { leavingWithinMs } = decodeNotice(frame)
      channel.close()
      this.#onNotice(channel.peer, leavingWithinMs)
      return
    }
  }

  #onNotice(relay: DeviceId, withinMs: number): void {
    const { clock, logger, stopping, connections } = this.#deps
    if (this.#leaving.has(relay)) return
    logger.info('relay-leaves', { relay, withinMs })
    this.#leaving.add(relay)
    void clock.sleep(withinMs + RETURN_IN_MS, { signal: stopping }).then(() => this.#leaving.delete(relay))
    for (const each of connections()) if (isOver(each, relay)) void this.#move(each, withinMs)
  }

  /** The old circuit is left, not ended: what is under way on it still arrives. */
  async #move(circuit: Connection, withinMs: number): Promise<void> {
    const { clock, random, stopping, dialAround, onBetterPath, logger } = this.#deps
    const device = deviceOf(circuit.remotePeer)
    // Not all clients at once: the other relay has to take them in.
    const isOn = await clock.sleep(random.uniform() * withinMs * MOVE_IN, { signal: stopping })
    if (device === undefined || !isOn || circuit.status !== 'open') return
    try {
      await dialAround(device, this.#leaving)
      markLeaving(circuit)
      onBetterPath(device)
    } catch (error) {
      logger.debug('no-other-relay', { device, reason: String(error) })
    }
  }
}

function isOver(connection: Connection, relay: DeviceId): boolean {
  return (
    connection.status === 'open' &&
    isRelayedConnection(connection) &&
    connection.remoteAddr.toString().includes(`/p2p/${relay}/p2p-circuit`)
  )
}
