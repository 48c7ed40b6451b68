/** Pings of our own: proof of life for presence, and the end of connections that are dead without having closed. */
import type { Connection } from '@libp2p/interface'
import { type Clock, type DeviceId, parseDeviceId } from '@skein/core'
import type { Stack } from './stack.ts'

const PING_EVERY_MS = 15_000
const PING_WITHIN_MS = 10_000
/** Failed pings in a row, with no frame in between, after which a connection is taken for dead. */
const MOST_FAILED = 3

export interface LivenessDeps {
  readonly stack: Stack
  readonly clock: Clock
  /** Whether connections to this device are looked after. */
  isWatched(device: DeviceId): boolean
  onAlive(device: DeviceId): void
}

export class Liveness {
  private readonly deps: LivenessDeps
  private readonly stopping = new AbortController()
  private readonly failed = new Map<DeviceId, number>()
  private readonly rtt = new Map<DeviceId, number>()

  constructor(deps: LivenessDeps) {
    this.deps = deps
  }

  start(): void {
    void this.run()
  }

  stop(): void {
    this.stopping.abort()
  }

  /** Round trip of the last ping, milliseconds. */
  rttOf(device: DeviceId): number | null {
    return this.rtt.get(device) ?? null
  }

  /** Any frame from the device: a connection that carries traffic is alive, however long its pings take. */
  sawTraffic(device: DeviceId): void {
    this.failed.delete(device)
  }

  forget(device: DeviceId): void {
    this.failed.delete(device)
    this.rtt.delete(device)
  }

  private async run(): Promise<void> {
    while (await this.deps.clock.sleep(PING_EVERY_MS, { signal: this.stopping.signal })) {
      const peers = new Map(this.deps.stack.getConnections().map((each) => [parseDeviceId(each.remotePeer.toString()), each]))
      await Promise.all([...peers].filter(([device]) => this.deps.isWatched(device)).map(([device, connection]) => this.check(device, connection)))
    }
  }

  private async check(device: DeviceId, connection: Connection): Promise<void> {
    try {
      const rtt = await this.deps.stack.services.ping.ping(connection.remotePeer, { signal: AbortSignal.timeout(PING_WITHIN_MS) })
      this.rtt.set(device, rtt)
      this.failed.delete(device)
      this.deps.onAlive(device)
    } catch {
      const failures = (this.failed.get(device) ?? 0) + 1
      this.failed.set(device, failures)
      if (failures < MOST_FAILED) return
      this.failed.delete(device)
      for (const each of this.deps.stack.getConnections(connection.remotePeer)) each.abort(new Error('no sign of life'))
    }
  }
}
