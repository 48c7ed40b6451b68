import type { Clock, DeviceId, Logger, Messenger, PeerPath } from '@skein/core'
import type { Undo } from '../client/assemble.ts'
import type { Libp2pSwarm } from '../swarm/index.ts'
import { MeshNeighbours } from './mesh-neighbours.ts'

export interface MeshParts {
  readonly messenger: Messenger
  readonly swarm: Libp2pSwarm
  readonly clock: Clock
  readonly logger: Logger
  readonly hasLan: boolean
  /** Whether connections beyond the local network are links too. */
  readonly bridge: boolean
}

/** On the local network everybody may be a neighbour; beyond it, with `bridge`, a contact: strangers there are the whole internet (ME22). */
export function mayBeLink(
  { path, device }: Pick<PeerPath, 'path' | 'device'>,
  { bridge, isContact }: Pick<MeshParts, 'bridge'> & { isContact(device: DeviceId): boolean },
): boolean {
  return path === 'lan' || (bridge && isContact(device))
}

/** Begins to make neighbours, if the messenger is part of a mesh and has somewhere to meet any. */
export function startMesh({ messenger, swarm, clock, logger, hasLan, bridge }: MeshParts, undo: Undo): MeshNeighbours | undefined {
  const { mesh, book } = messenger
  if (mesh === undefined || !(hasLan || bridge)) return undefined
  const isContact = (device: DeviceId): boolean => book.isContact(device)
  const isLink = (path: PeerPath): boolean => mayBeLink(path, { bridge, isContact })
  const isLookedAfter = (device: DeviceId): boolean => book.isLookedAfter(device)
  const neighbours = new MeshNeighbours({ mesh, swarm, clock, logger, isLink, isContact, isLookedAfter })
  neighbours.start()
  undo.push(() => neighbours.stop())
  return neighbours
}
