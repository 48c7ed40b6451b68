import type { Clock, Logger, Messenger, PeerPath } from '@skein/core'
import type { Undo } from '../client/assemble.ts'
import type { Libp2pSwarm } from '../swarm/index.ts'
import { MeshNeighbours } from './mesh-neighbours.ts'

export interface MeshParts {
  readonly messenger: Messenger
  readonly swarm: Libp2pSwarm
  readonly clock: Clock
  readonly logger: Logger
  /** Whether connections beyond the local network are links too. */
  readonly bridge: boolean
}

/** Begins to make neighbours, if the messenger is part of a mesh. */
export function startMesh({ messenger, swarm, clock, logger, bridge }: MeshParts, undo: Undo): MeshNeighbours | undefined {
  const { mesh, book } = messenger
  if (mesh === undefined) return undefined
  const isLink = ({ path }: PeerPath): boolean => path === 'lan' || bridge
  const neighbours = new MeshNeighbours({ mesh, swarm, clock, logger, isLink, isContact: (device) => book.ownerOf(device) !== undefined })
  neighbours.start()
  undo.push(() => neighbours.stop())
  return neighbours
}
