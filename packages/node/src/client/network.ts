/** Follows the network around this machine: what changes is told to the swarm, and what the NAT does is found out anew. */
import type { Logger } from '@skein/core'
import { askRelay, NatKnowledge } from '../nat/index.ts'
import { mappingWays, PortMapper, wayOut } from '../nat/mapping/index.ts'
import { ownPublicHosts } from '../punch/index.ts'
import { isBeside } from '../platform/network-change.ts'
import { watchNetwork } from '../platform/network-watch.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Libp2pSwarm } from '../swarm/index.ts'
import type { NetworkKnowledge, Undo } from './assemble.ts'
import { listeningPorts } from './lan.ts'

export interface Watched {
  readonly swarm: Libp2pSwarm
  readonly logger: Logger
  /** Whether the router may be asked for a port. */
  readonly mapsPort: boolean
  /** Something came to a socket for questions that is no answer. */
  onGarbage(): void
}

/** Runs until it is undone. */
export function watchOver({ swarm, logger, mapsPort, onGarbage }: Watched, undo: Undo): NetworkKnowledge {
  const knowledge = new NatKnowledge({
    clock: systemClock,
    random: systemRandom,
    logger: logger.child('nat'),
    stunServers: () => swarm.stunServers(),
    isRelayReached: () => swarm.relays().some(({ connected }) => connected),
    onUdp: (isThrough, turnsRound) => swarm.knowUdp(isThrough, turnsRound),
    onGarbage,
  })
  const watching = new AbortController()
  const mapper = mapsPort ? createMapper({ swarm, logger: logger.child('port-mapping') }) : undefined
  const mapping = mapper?.run(watching.signal)
  const forget = swarm.listen({ onRelay: ({ reserved }) => void (reserved && knowledge.renew()) })
  undo.push(async () => {
    forget()
    watching.abort()
    knowledge.stop()
    await mapping
  })
  void watchNetwork({ clock: systemClock, signal: watching.signal }, (change) => {
    logger.info('network-changed', { addresses: change.present.size, lost: change.hasLost })
    swarm.move(change)
    if (isBeside(change)) return void knowledge.renew()
    void knowledge.move()
    mapper?.renew()
  })
  return { nat: () => knowledge.view(), mapping: () => mapper?.state() ?? { kind: 'off' }, probe: () => knowledge.probe(), askRelay }
}

function createMapper({ swarm, logger }: Pick<Watched, 'swarm' | 'logger'>): PortMapper {
  return new PortMapper({
    clock: systemClock,
    logger,
    ways: mappingWays({ clock: systemClock, random: systemRandom }),
    wayOut,
    port: () => listeningPorts(swarm.addresses()).tcp4,
    ownPublicHosts,
    onMapping: (mapping) =>
      void swarm.announceMapping(mapping).catch((error: unknown) => logger.warn('mapping-not-announced', { reason: String(error) })),
  })
}
