/** Finds contacts on this machine's networks and has the swarm connect to them, without any relay. */
import { type DeviceId, type LanPeer, LanService, type ListeningPorts, type Logger, type Messenger, type Visibility } from '@skein/core'
import { LanDiscovery } from '../discovery/index.ts'
import { nativePrimitives } from '../platform/primitives.ts'
import type { Tally } from '../platform/tally.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import { EVERYWHERE, type Libp2pSwarm } from '../swarm/index.ts'
import type { Undo } from './assemble.ts'

export interface LanParts {
  readonly messenger: Messenger
  readonly swarm: Libp2pSwarm
  readonly logger: Logger
  /** What is not looked at is counted there. */
  readonly tally: Tally
  readonly visibility: Visibility
  /** Address to listen on, as configured. */
  readonly host: string
  /** Somebody, a stranger perhaps, can be dialled there. */
  onPlace?(address: string): void
}

export interface Lan {
  /** Strangers who show themselves to everybody. */
  nearby(): readonly DeviceId[]
  /** What was not looked at since the start, by the reason; what the tally has besides is there. */
  refused(): Readonly<Record<'lan-flood' | 'lan-malformed', number>>
}

/** Begins to announce and to listen; a machine without a network waits for one. */
export async function startLan({ messenger, swarm, logger, tally, visibility, host, onPlace }: LanParts, undo: Undo): Promise<Lan> {
  const lan = new LanService({
    identity: messenger.identity,
    primitives: nativePrimitives,
    discovery: new LanDiscovery({ clock: systemClock, logger, refused: (why) => tally.add(why) }),
    clock: systemClock,
    random: systemRandom,
    logger,
    visibility: () => visibility,
    contacts: contactDevices(messenger, undo),
    ports: () => listeningPorts(swarm.listening(), { everywhere: host === EVERYWHERE }),
    onSeen: (device, addresses) => void swarm.approach(device, addresses),
    ...(onPlace === undefined ? {} : { onPlace }),
  })
  undo.push(() => lan.stop())
  await lan.start()
  return {
    nearby: () => lan.nearby(),
    refused: () => {
      const { ignored, malformed } = lan.counts()
      return { 'lan-flood': ignored, 'lan-malformed': malformed }
    },
  }
}

/** Devices of accepted contacts; put together anew only when a contact has changed, for every announcement asks. */
function contactDevices(messenger: Messenger, undo: Undo): () => readonly LanPeer[] {
  let devices: readonly LanPeer[] | undefined
  const forget = messenger.listen((event) => {
    if (event.kind === 'contact' || event.kind === 'keys') devices = undefined
  })
  undo.push(forget)
  const { book } = messenger
  return () => {
    devices ??= book
      .all()
      .filter(({ state, blocked }) => state === 'accepted' && !blocked)
      .flatMap(({ account }) => book.devicesOf(account))
    return devices
  }
}

const TCP = /^\/ip(4|6)\/([^/]+)\/tcp\/(\d+)(?:\/p2p\/[^/]+)?$/
const isLoopback = (host: string): boolean => host.startsWith('127.') || host === '::1'

/**
 * Ports of addresses that others can dial: not by way of a relay, and not of loopback, unless what listens there listens
 * on all addresses: then the library names only some, and never link-local ones, which may be all there are.
 */
export function listeningPorts(addresses: readonly string[], { everywhere = false } = {}): ListeningPorts {
  const found = addresses.flatMap((each) => {
    const [, family, host = '', port] = TCP.exec(each) ?? []
    return port === undefined || (!everywhere && isLoopback(host)) ? [] : [{ family, port: Number(port) }]
  })
  const portOf = (family: string): number => found.find((each) => each.family === family)?.port ?? 0
  return { tcp4: portOf('4'), tcp6: portOf('6') }
}
