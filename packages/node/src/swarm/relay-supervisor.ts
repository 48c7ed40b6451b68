/**
 * Keeps a reservation on one relay: finds it, dials it, reserves, notices the loss, starts again. libp2p reserves a
 * configured relay once and never again (js-libp2p #3601), so all of it is done here.
 */
import type { Listener } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { backoff, type Clock, type DeviceId, type Logger, type Random, type RelayStatus } from '@skein/core'
import { fetchRelayInfo, type RelayInfo } from './relay-directory.ts'
import type { Stack } from './stack.ts'

/** Waits between tries; a relay that restarts is back within seconds and found at once. */
const RETRY = { first: 250, most: 10_000 }
/** The reservation is looked at this often: it may end without the connection ending. */
const CHECK_EVERY_MS = 30_000
/** Time for dialling and reserving. */
const JOIN_WITHIN_MS = 15_000

export interface SupervisorDeps {
  readonly stack: Stack
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  onChange(status: RelayStatus): void
}

/** Reservations are made one after the other: the new listener is found by comparing before and after. */
let reserving: Promise<unknown> = Promise.resolve()

export class RelaySupervisor {
  readonly url: string
  private readonly deps: SupervisorDeps
  private readonly stopping = new AbortController()
  private info: RelayInfo | null = null
  private listener: Listener | undefined
  private joined = false
  private hurry = new AbortController()

  constructor(url: string, deps: SupervisorDeps) {
    this.url = url
    this.deps = deps
  }

  /** The relay as last found, joined or not. */
  get current(): RelayInfo | null {
    return this.info
  }

  status(): RelayStatus {
    const device = this.info?.device ?? null
    return { url: this.url, device, connected: device !== null && this.connections(device).length > 0, reserved: this.joined && this.isReserved() }
  }

  start(): void {
    void this.run()
  }

  stop(): void {
    this.stopping.abort()
    this.hurry.abort()
  }

  /** The relay's connection is gone, or the network has changed: look again now. */
  recheck(): void {
    this.hurry.abort()
  }

  private async run(): Promise<void> {
    for (let attempts = 0; !this.stopping.signal.aborted; ) {
      const ok = await this.join().catch((error: unknown) => {
        this.deps.logger.info('relay-join-failed', { reason: error instanceof Error ? error.message : 'unknown' })
        return false
      })
      attempts = ok ? 0 : attempts + 1
      this.report(ok)
      if (ok) await this.untilLost()
      else await this.wait(backoff(attempts - 1, this.deps.random, RETRY))
    }
  }

  private report(joined: boolean): void {
    if (joined === this.joined) return
    this.joined = joined
    this.deps.onChange(this.status())
  }

  private async join(): Promise<boolean> {
    const { signal } = this.stopping
    this.info = await fetchRelayInfo(this.url, signal)
    if (this.info === null || this.info.addresses.length === 0) return false
    const { stack } = this.deps
    const limit = AbortSignal.any([signal, AbortSignal.timeout(JOIN_WITHIN_MS)])
    const connection = await stack.dial(this.info.addresses.map((each) => multiaddr(each)), { signal: limit })
    const via = connection.remoteAddr.toString()
    const address = via.includes('/p2p/') ? via : `${via}/p2p/${this.info.device}`
    await this.reserve(`${address}/p2p-circuit`)
    return this.isReserved()
  }

  private reserve(address: string): Promise<void> {
    const mine = reserving.then(async () => {
      if (this.stopping.signal.aborted) return
      if (this.listener !== undefined) return this.listener.listen(multiaddr(address))
      const { transportManager } = this.deps.stack.services.transports
      const before = new Set(transportManager.getListeners())
      try {
        await transportManager.listen([multiaddr(address)])
      } finally {
        // Kept even after a failure, and never closed: closing one circuit listener cancels the reservations of all.
        this.listener = transportManager.getListeners().find((each) => !before.has(each))
      }
    })
    reserving = mine.catch(() => undefined)
    return mine
  }

  private isReserved(): boolean {
    const { info, deps } = this
    if (info === null || this.connections(info.device).length === 0) return false
    return deps.stack.services.transports.transportManager.getAddrs().some((each) => each.toString().includes(`/p2p/${info.device}/p2p-circuit`))
  }

  private connections(device: DeviceId) {
    return this.deps.stack.getConnections().filter((each) => each.remotePeer.toString() === device)
  }

  private async untilLost(): Promise<void> {
    while (!this.stopping.signal.aborted && this.isReserved()) await this.wait(CHECK_EVERY_MS)
    this.report(false)
  }

  private async wait(ms: number): Promise<void> {
    this.hurry = new AbortController()
    await this.deps.clock.sleep(ms, { signal: this.hurry.signal })
  }
}
