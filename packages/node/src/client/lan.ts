/** Finds contacts on this machine's networks and has the swarm connect to them, without any relay. */
import { type LanPeer, LanService, type ListeningPorts, type Logger, type Messenger, type Visibility } from '@skein/core'
import { LanDiscovery } from '../discovery/index.ts'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Libp2pSwarm } from '../swarm/index.ts'
import type { Undo } from './assemble.ts'

export interface LanParts {
  readonly messenger: Messenger
  readonly swarm: Libp2pSwarm
  readonly logger: Logger
  readonly visibility: Visibility
  /** Somebody, a stranger perhaps, can be dialled there. */
  onPlace?(address: string): void
}

/** Begins to announce and to listen; a machine without a network waits for one. */
export async function startLan({ messenger, swarm, logger, visibility, onPlace }: LanParts, undo: Undo): Promise<LanService> {
  const lan = new LanService({
    identity: messenger.identity,
    primitives: nativePrimitives,
    discovery: new LanDiscovery({ clock: systemClock, logger }),
    clock: systemClock,
    random: systemRandom,
    logger,
    visibility: () => visibility,
    contacts: contactDevices(messenger, undo),
    ports: () => listeningPorts(swarm.addresses()),
    onSeen: (device, addresses) => void swarm.approach(device, addresses),
    ...(onPlace === undefined ? {} : { onPlace }),
  })
  undo.push(() => lan.stop())
  await lan.start()
  return lan
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

/** Own addresses that others can dial: not loopback, not by way of a relay. */
const LISTENING = /^\/ip(4|6)\/(?!127\.|::1\/)[^/]+\/tcp\/(\d+)\/p2p\/[^/]+$/

export function listeningPorts(addresses: readonly string[]): ListeningPorts {
  const found = addresses.flatMap((each) => {
    const [, family, port] = LISTENING.exec(each) ?? []
    return port === undefined ? [] : [{ family, port: Number(port) }]
  })
  const portOf = (family: string): number => found.find((each) => each.family === family)?.port ?? 0
  return { tcp4: portOf('4'), tcp6: portOf('6') }
}
