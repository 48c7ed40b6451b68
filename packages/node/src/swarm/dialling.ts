/** Reaching a device: over a connection that is there, or by the addresses known of it. */
import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { DeviceId, Logger, ProtocolId } from '@skein/core'
import { pick } from './connections.ts'
import type { RelayDirectory } from './relay-directory.ts'
import type { RelaySupervisor } from './relay-supervisor.ts'
import type { Stack } from './stack.ts'

/** One try to reach a device, from the first address to the last. Milliseconds. */
const DIAL_WITHIN_MS = 15_000
const NEGOTIATE_WITHIN_MS = 10_000

export interface DiallerDeps {
  readonly stack: Stack
  readonly directory: RelayDirectory
  readonly logger: Logger
  supervisors(): readonly RelaySupervisor[]
}

export class Dialler {
  private readonly deps: DiallerDeps
  /** Tries under way: whoever wants the same device joins the same try. */
  private readonly underWay = new Map<DeviceId, Promise<Connection | undefined>>()

  constructor(deps: DiallerDeps) {
    this.deps = deps
  }

  connectionTo(device: DeviceId): Connection | undefined {
    return pick(this.deps.stack.getConnections(peerIdFromString(device)))
  }

  /** @param relays URLs of relays where the device may be found, besides our own */
  async connect(device: DeviceId, relays: readonly string[], signal?: AbortSignal): Promise<Connection | undefined> {
    const open = this.connectionTo(device)
    if (open !== undefined) return open
    const known = this.underWay.get(device)
    if (known !== undefined) return known
    const dialling = this.dial(device, relays, signal).finally(() => this.underWay.delete(device))
    this.underWay.set(device, dialling)
    return dialling
  }

  private async dial(device: DeviceId, relays: readonly string[], signal?: AbortSignal): Promise<Connection | undefined> {
    const addresses = await this.circuitAddresses(device, relays)
    if (addresses.length === 0) return undefined
    const limit = AbortSignal.timeout(DIAL_WITHIN_MS)
    try {
      const connection = await this.deps.stack.dial(addresses.map((each) => multiaddr(each)), { signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) })
      // The other side may have dialled at the same time: use what both would pick.
      return this.connectionTo(device) ?? connection
    } catch (error) {
      this.deps.logger.debug('dial-failed', { reason: error instanceof Error ? error.name : 'unknown' })
      return undefined
    }
  }

  private async circuitAddresses(device: DeviceId, relays: readonly string[]): Promise<string[]> {
    const own = this.deps.supervisors().flatMap((each) => (each.status().connected && each.current !== null ? [each.current] : []))
    const ownUrls = new Set(this.deps.supervisors().map(({ url }) => url))
    const others = await Promise.all(relays.filter((url) => !ownUrls.has(url)).map((url) => this.deps.directory.resolve(url)))
    const found = [...own, ...others.filter((info) => info !== null)]
    return [...new Set(found.flatMap((info) => info.addresses.map((address) => `${address}/p2p-circuit/p2p/${device}`)))]
  }

  /** Opens a stream; once more on a fresh connection when the first was just closing. */
  async openStream(device: DeviceId, protocol: ProtocolId, { relays, signal }: { relays: readonly string[]; signal?: AbortSignal | undefined }): Promise<Stream | 'no-route' | 'refused'> {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const connection = await this.connect(device, relays, signal)
      if (connection === undefined) return 'no-route'
      try {
        // On the connection itself: dialProtocol() would dial again rather than use a relayed one (T6).
        return await connection.newStream(protocol, { runOnLimitedConnection: true, signal: AbortSignal.timeout(NEGOTIATE_WITHIN_MS) })
      } catch (error) {
        this.deps.logger.debug('stream-failed', { reason: error instanceof Error ? error.name : 'unknown' })
        if (error instanceof Error && error.name === 'UnsupportedProtocolError') return 'refused'
      }
    }
    return 'refused'
  }
}
