/** What punchers need of the node around them. */
import type { Duplex } from 'node:stream'
import type { Connection, Logger as Libp2pLogger, StreamHandler, Upgrader } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Clock, DeviceId, Logger, Random } from '@skein/core'
import { UPGRADE_TIMEOUT_MS } from './constants.ts'
import type { Session } from './sessions.ts'
import type { openTogether } from './simultaneous-open.ts'
import { SocketConnection } from './socket-connection.ts'
import type { MayDial } from './targets.ts'

/** What is needed of libp2p. */
export interface PunchHost {
  readonly upgrader: Upgrader
  readonly log: Libp2pLogger
  handle(protocol: string, handler: StreamHandler): Promise<void>
}

export interface PunchDeps {
  readonly self: DeviceId
  readonly host: PunchHost
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** `host:port` of the TCP reflectors of the user's own relays. */
  reflectors(): readonly string[]
  /** STUN servers of the user's own relays, `stun:host:port`; those of one relay together. */
  stunServers(): readonly (readonly string[])[]
  readonly deviceOf: (connection: Connection) => DeviceId | undefined
  /** Whether the router here turns packets round; `null`, or nothing to ask, where that is not known. */
  turnsRound?(): boolean | null
  /** Whether holes are punched for this device: a stranger is not to make us send anything. */
  mayPunch(device: DeviceId): boolean
  /** Without it public addresses alone. */
  readonly mayDial?: MayDial
  /** How a punch went that the other side has begun; `error` where nothing came of it. */
  onAnswered(device: DeviceId, by: 'tcp' | 'udp', error?: Error): void
  /** A socket is about to become a connection to this address. */
  onPunched(address: Multiaddr): void
  /** A packet that belongs to no punch came to a socket for one. */
  onGarbage(): void
  /** The other side has said what cannot be, or is not where it says. */
  onForged(): void
  readonly stopping: AbortSignal
  /** In place of the simultaneous open of the system's TCP. */
  readonly open?: typeof openTogether
}

/** With what both sides begin (multistream-select), as far as it has come. */
const NEGOTIATION = Buffer.from('\x13/multistream/1.0.0\n')
const isNegotiation = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes).subarray(0, NEGOTIATION.length).equals(NEGOTIATION.subarray(0, bytes.length))

/** Whoever is at the other end, it becomes a connection only if it proves to be the device. Resolves whether it has. */
export async function upgradeSocket(socket: Duplex, address: Multiaddr, session: Session, deps: PunchDeps): Promise<boolean> {
  const { host, logger, onPunched } = deps
  const { device, role } = session
  const remoteAddr = multiaddr(`${address.toString()}/p2p/${device}`)
  onPunched(remoteAddr)
  const direction = role === 'client' ? 'outbound' : 'inbound'
  const connection = new SocketConnection({ socket, remoteAddr, direction, log: host.log })
  socket.once('data', (bytes: Uint8Array) => isNegotiation(bytes) || deps.onGarbage())
  const options = { signal: AbortSignal.timeout(UPGRADE_TIMEOUT_MS) }
  try {
    if (role === 'client') await host.upgrader.upgradeOutbound(connection, options)
    else await host.upgrader.upgradeInbound(connection, options)
    return true
  } catch (error) {
    logger.debug('punched-socket-refused', { device, reason: String(error) })
    connection.abort(error instanceof Error ? error : new Error(String(error)))
    return false
  }
}
